"""What an inspection shows, view by view."""
