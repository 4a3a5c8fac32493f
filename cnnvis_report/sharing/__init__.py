"""A report handed on: packed, made anonymous, cut down, and its maps as files of other programs."""
