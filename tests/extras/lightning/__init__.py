"""Checkpoints that Lightning itself has written."""
