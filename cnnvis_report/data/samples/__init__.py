"""Samples that a program holds, of datasets, loaders, lists and tensors, as an image set."""
