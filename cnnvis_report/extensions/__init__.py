"""What announces itself: registries of methods, metrics, loaders and readers, and what packages add to them."""
