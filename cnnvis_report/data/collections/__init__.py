"""One module for each kind of IMAGES that holds many images; a module that lies here is found by itself."""
