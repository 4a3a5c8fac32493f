"""Networks of timm: by name, with weights from a file, and from folders that timm has written."""
