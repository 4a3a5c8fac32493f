"""Whether a network gives the same for the same image."""
