"""The command line: a file per command, options that several share, and what is said on the terminal."""
