"""Names of the parts of a set: training, validation and test."""

ALIKE = (
    {"train", "training", "trn"},
    {"val", "valid", "validation", "dev"},
    {"test", "testing", "tst"},
)


def in_split(name: str, split: str) -> bool:
    """Whether a part that is called so is the one that is wanted, whatever its case or its usual shorter name."""
    wanted, plain = split.strip().lower(), name.strip().lower()
    return plain == wanted or any(wanted in names and plain in names for names in ALIKE)


def is_part(name: str) -> bool:
    """Whether a name is one that parts of a set usually have."""
    return any(name.strip().lower() in names for names in ALIKE)
