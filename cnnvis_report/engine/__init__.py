"""One forward pass over a batch, and many backward passes through what it recorded."""
