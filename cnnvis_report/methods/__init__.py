"""Explanation methods, one a file; a file dropped in here is found by every part of the program."""
