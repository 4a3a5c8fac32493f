"""Networks of Keras, turned into ordinary networks of PyTorch whose layers keep their names."""
