"""What a run produced: frozen dataclasses that need numpy only."""
