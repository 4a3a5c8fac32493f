"""From records to pages, without torch."""
