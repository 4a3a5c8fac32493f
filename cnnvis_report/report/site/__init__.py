"""A report as a folder of pages."""
