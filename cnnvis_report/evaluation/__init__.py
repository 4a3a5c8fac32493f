"""Faithfulness, localization and sanity metrics of maps, on plain arrays."""
