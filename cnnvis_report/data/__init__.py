"""Image sets: files found, labels read, pictures decoded and preprocessed, batches made ahead of their use."""
