"""torchvision's networks with the heads and weights that people give them."""
