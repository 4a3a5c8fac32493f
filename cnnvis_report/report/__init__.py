"""From a run folder to pages: no model, no torch, no GPU."""
