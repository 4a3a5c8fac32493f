"""Data sets that are drawn, so that what decides the class is known."""
