"""One module for each place where people keep their networks; a module that lies here is found by itself."""
