"""Pictures and packed arrays for the pages."""
