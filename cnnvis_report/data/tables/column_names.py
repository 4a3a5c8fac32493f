"""Names that columns of paths, labels and parts of a set usually have."""

from cnnvis_report.data.tables.splits import SPLIT_COLUMNS

PATH_COLUMNS = (
    "file name", "filename", "file", "path", "file path", "filepath", "image", "image path", "image name", "img",
    "image file", "image id", "imageid", "image index", "img path", "images", "picture", "photo", "id", "name",
)  # fmt: skip
LABEL_COLUMNS = (
    "label", "labels", "class", "classes", "target", "class name", "label name", "category", "class id", "label id",
    "class index", "finding labels", "attribute ids", "diagnosis", "dx", "predictionstring", "prediction string",
    "index", "tags", "tag", "fine label", "name", "y",
)  # fmt: skip
OTHERS = ("score", "width", "height", *SPLIT_COLUMNS)


def plain_name(name: str) -> str:
    """A column's name whatever its case and the marks between its words."""
    return " ".join(name.replace("_", " ").replace("-", " ").lower().split())


def is_known(name: str) -> bool:
    """Whether a column is usually called so."""
    return plain_name(name) in {*PATH_COLUMNS, *LABEL_COLUMNS, *OTHERS}
