"""Files that are whole or not there, with one writer at a time."""
