"""From settings to a run folder: setup, plan, stages, identity."""
