"""The record of a comparison in its folder."""
