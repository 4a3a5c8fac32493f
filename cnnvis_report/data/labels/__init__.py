"""Labels and classes: what folders, lists and files call them, and which classes of the network they are."""
