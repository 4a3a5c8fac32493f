"""Models and image sets from where people keep them."""
