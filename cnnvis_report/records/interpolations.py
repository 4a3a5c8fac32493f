"""The names of the filters that pictures are resized with, as Pillow has them."""

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos", "box", "hamming")
