"""Arrays that hold many images, one behind the other, with their labels."""
