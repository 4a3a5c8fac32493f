"""From pixels to what the network reads: range of values, size, crop, normalization."""
