"""What the commands say on the terminal, for people and for programs."""
