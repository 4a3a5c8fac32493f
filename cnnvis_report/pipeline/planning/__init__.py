"""What a run will take, before it starts: passes, seconds and bytes."""
