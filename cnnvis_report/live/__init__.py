"""Reports on what a program holds: a module in memory, a dataset, tensors, pictures; for scripts and notebooks."""
