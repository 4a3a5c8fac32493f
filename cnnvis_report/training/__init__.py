"""From class folders to a model file."""
