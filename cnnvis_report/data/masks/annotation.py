"""What an annotation says of where the objects of an image are."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from PIL import Image


class Annotation(ABC):
    """Boxes, outlines or areas of one image, by the names of what they show."""

    @property
    @abstractmethod
    def digest(self) -> str:
        """Changes with whatever it says."""

    @abstractmethod
    def draw(self, labels: Sequence[str]) -> Image.Image:
        """The mask of the objects with the first of these labels, or of all objects where none has it.

        Args:
            labels: the image's labels as the network calls them, or else as the annotation does.

        Returns:
            An image of mode L and of the picture's stored size upright: 255 where an object is, else 0.

        Raises:
            UnusablePicture: there is no such object, or it can't be drawn.
        """
