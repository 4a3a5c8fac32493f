"""A report as one page, within a size."""
