"""What decides the results of a run, and what of it has changed since."""
