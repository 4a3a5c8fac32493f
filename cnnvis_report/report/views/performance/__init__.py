"""The performance page."""
