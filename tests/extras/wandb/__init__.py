"""Reports in Weights & Biases."""
