"""Addresses: between the pages of a site, and within a page that holds all."""

from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True)
class SiteLinks:
    """Relative addresses from a page at the top, or from one in a folder, with `up` before everything else."""

    up: str = ""

    def page(self, name: str, at: str = "") -> str:
        """The overview ("index"), "answers", "inside", "methods" or "run", and a place on it."""
        return f"{self.up}{name}.html{f'#{at}' if at else ''}"

    def gallery(self, **filters: str) -> str:
        """The overview's gallery with some of its images, such as label="cat", predicted="dog"."""
        return f"{self.up}index.html#{urlencode(filters)}"

    def image(self, id: str) -> str:
        """The page of an image."""
        return f"{self.up}images/{id}.html"

    def drawn(self, id: str, name: str) -> str:
        """A picture of what is inside the network: of an image, or of itself."""
        return f"{self.up}stills/inspection/{id}/{name}.webp"

    def still(self, id: str, name: str) -> str:
        """A small picture of an image: "picture", or the still of a method."""
        return f"{self.up}stills/{id}/{name}.webp"

    def asset(self, name: str) -> str:
        """A style sheet or script."""
        return f"{self.up}assets/{name}"

    def data(self, name: str) -> str:
        """A script that delivers data."""
        return f"{self.up}data/{name}.js"


@dataclass(frozen=True)
class SingleLinks:
    """Places within one file, told apart by the address's fragment; stills come from data in the file."""

    def page(self, name: str, at: str = "") -> str:
        """The overview ("index"), "answers", "inside", "methods" or "run", and a place on it."""
        return f"#page={name}{f'&at={at}' if at else ''}"

    def gallery(self, **filters: str) -> str:
        """The gallery with some of its images, such as label="cat", predicted="dog"."""
        return f"#page=index&{urlencode(filters)}"

    def image(self, id: str) -> str:
        """The part that shows an image."""
        return f"#page=image-{id}"

    def still(self, id: str, name: str) -> str:
        """Nothing: the page's script takes it from the data in the file."""
        return ""


Links = SiteLinks | SingleLinks
