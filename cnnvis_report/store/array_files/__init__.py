"""Files of arrays that plain numpy reads, and that may be a stranger's."""
