"""What a user's own code gives: networks, datasets, transforms and other functions."""
