"""Backward rules over the recorded operations."""
