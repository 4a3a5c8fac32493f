"""What a file or an entry of one holds: hashes that identify it."""
