"""One module for each kind of image file; a module that lies here is found by itself."""
