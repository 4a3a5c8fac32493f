"""Running somebody else's network and code: no trace is left on it, and errors are said with their place."""
