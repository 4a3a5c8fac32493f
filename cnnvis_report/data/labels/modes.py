"""Which folders are labels, by the words of the setting; apart, because settings are read without torch."""

MODES = ("names", "folders", "indices")
