"""Reports in TensorBoard."""
