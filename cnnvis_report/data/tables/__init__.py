"""Tables of image paths and labels, in whatever form people keep them."""
