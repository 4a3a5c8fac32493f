"""COCO's annotations: labels, and the areas of objects as polygons and run lengths."""
