"""Options and arguments of the commands: what they take, where values come from, what is completed."""
