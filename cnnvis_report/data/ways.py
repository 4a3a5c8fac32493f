"""All ways of holding images, as the documentation's table has them."""

from cnnvis_report.data.collection import ImageWay, collections

FILES_AND_FOLDERS = (
    ImageWay("image files", "cat.jpg dog.png", "none"),
    ImageWay("a folder with one for each class", "photos/", "its sub-folders, called like the classes"),
    ImageWay(
        "the same of classes that nobody has named, as ImageFolder and Keras read it",
        "photos/ --labels folders",
        "its sub-folders in alphabetical order",
    ),
    ImageWay("folders `train`, `val` and `test` of these", "photos/ --split val", "the sub-folders of the part"),
    ImageWay("masks of what decides the class", "photos/ --masks masks/", "as without; masks have the images' names"),
    ImageWay("a Dataset, a DataLoader or a list in a module", "package.module:dataset", "its samples, masks too"),
    ImageWay("a function that gives one", "path/to/file.py:dataset --split val", "the same"),
)


def image_ways() -> list[tuple[ImageWay, str]]:
    """Each way, and what pip installs for it; nothing where it needs no more than everybody has."""
    plain = [(way, "") for way in FILES_AND_FOLDERS]
    return plain + [(way, entry.install) for entry in collections() for way in entry.ways]
