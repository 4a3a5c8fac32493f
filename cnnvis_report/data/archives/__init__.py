"""Archives: listed without being unpacked, and their members read from where they lie."""
