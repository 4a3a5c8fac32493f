"""Whole networks in pickles, which are programs: opened where a user trusts whoever made them, and never before."""
