"""Checkpoints of Lightning: weights, and what their training was told, without the network that they are of."""
