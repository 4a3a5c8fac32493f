"""What a run needs, opened: the network, its preprocessing, the images."""
