"""The command line: a file a command, options that several share, and what is said on the terminal."""
