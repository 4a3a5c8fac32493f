"""Runs whose maps are made by the workers of a Ray cluster; imported with `--engine ray` alone."""
