"""Which images there are: files, folders and lists searched before any image is decoded."""
