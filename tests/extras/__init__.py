"""What needs a library of an extra, one folder an extra: each runs where its libraries are installed."""
