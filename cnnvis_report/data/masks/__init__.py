"""Where the object of an image is: mask files, boxes and annotations."""
