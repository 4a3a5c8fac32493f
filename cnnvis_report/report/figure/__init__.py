"""The figure of a run: rows of images, columns of methods, as PNG, SVG and PDF from one description."""
