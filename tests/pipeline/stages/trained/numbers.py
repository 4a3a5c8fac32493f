"""How large the training is, and what its records say."""

from cnnvis_report.records.images import ImageRecord

EPOCHS = 3
IMAGES, TRAINED_ON = 30, 25


def label_of(image: ImageRecord) -> int:
    assert image.label is not None and image.label.index is not None
    return image.label.index
