"""Networks from names, files and factories, and the weights that belong to them."""
