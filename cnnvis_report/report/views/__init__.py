"""From records to what the templates read."""
