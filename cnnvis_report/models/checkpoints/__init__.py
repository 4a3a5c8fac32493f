"""Weights from a file that a stranger made: what is in it, within which limits, and which of it is the network's."""
