"""Which folders are labels, in the words of --labels; `label_images` says what each means."""

MODES = ("names", "folders", "indices")
