"""One module for each family of Keras's layers: what each of them becomes."""
