"""From a batch of images to its maps, as records and arrays."""
