"""Raw images to a network, and data sets that are drawn."""
