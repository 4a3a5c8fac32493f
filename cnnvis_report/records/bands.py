"""Which bands of the pictures pages show, as plain data."""

from dataclasses import dataclass

LOW, HIGH = 2, 98  # percentiles of a band that are shown as black and white
USUAL = (1, 3)  # bands of gray and color pictures, which are shown as they are


@dataclass(frozen=True)
class ShownBands:
    """Bands that stand for a picture on pages, where the network reads neither gray nor color.

    numbers: of those shown as red, green and blue, or of the one shown as gray, counted from 1.
    stretched: whether each is shown from its 2nd to its 98th percentile over the image; else from 0 to 1 as the network
        gets it before it is normalized.
    """

    numbers: tuple[int, ...]
    stretched: bool = False

    def describe(self) -> str:
        """Such as "bands 4, 3, 2 as red, green and blue, each from its 2nd to its 98th percentile"."""
        names = ", ".join(map(str, self.numbers))
        scale = f"from its {LOW}nd to its {HIGH}th percentile"
        if len(self.numbers) == 1:
            return f"band {names} as gray{f', {scale}' if self.stretched else ''}"
        return f"bands {names} as red, green and blue{f', each {scale}' if self.stretched else ''}"
