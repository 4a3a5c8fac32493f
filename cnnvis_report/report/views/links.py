"""Addresses of pages and pictures: what views and templates know of where things are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode

from cnnvis_report.errors import one_way

GALLERY = "images"  # the gallery's place on the overview


def _chosen(filters: Mapping[str, str]) -> str:
    """The gallery with these filters, whose names stand as the page's data has them."""
    return urlencode({"at": GALLERY, **{name: one_way(value) for name, value in filters.items()}})


class Links(Protocol):
    """Addresses as one page has them."""

    def page(self, name: str, anchor: str = "") -> str:
        """A page of the table of pages, such as "methods", and a place on it."""
        ...

    def gallery(self, **filters: str) -> str:
        """The overview's gallery with some of its images, such as label="cat", predicted="dog"."""
        ...

    def image(self, id: str, **state: str) -> str:
        """The page of an image, in some state of it, such as feature_layer="3"."""
        ...

    def tile(self, id: str, method: str) -> str:
        """A method's map on the page of an image, which the page shows and highlights."""
        ...

    def tile_id(self, id: str, method: str) -> str:
        """The id of the element that `tile` leads to."""
        ...

    def thumbnail(self, id: str, name: str) -> str:
        """A small picture of an image: "picture", or the name of a method; empty where a script will fill it in."""
        ...

    def picture(self, name: str) -> str:
        """One of the pictures that belong to the page itself."""
        ...

    def file(self, name: str) -> str:
        """A file of the folder, to be taken away; empty where the report is one file."""
        ...


@dataclass(frozen=True)
class SiteLinks:
    """Relative addresses of a folder of pages.

    page_name: what the page's own pictures are filed under. up: the way from the page to the top of the folder.
    """

    page_name: str = ""
    up: str = ""

    def page(self, name: str, anchor: str = "") -> str:
        """NAME.html#ANCHOR."""
        return f"{self.up}{name}.html{f'#{anchor}' if anchor else ''}"

    def gallery(self, **filters: str) -> str:
        """The filters as the address's fragment."""
        return f"{self.up}index.html#{_chosen(filters)}"

    def image(self, id: str, **state: str) -> str:
        """images/ID.html, with the state as its fragment."""
        return f"{self.up}images/{id}.html{f'#{urlencode(state)}' if state else ''}"

    def tile(self, id: str, method: str) -> str:
        """images/ID.html#METHOD."""
        return f"{self.up}images/{id}.html#{method}"

    def tile_id(self, id: str, method: str) -> str:
        """The method's name: a page has one image."""
        return method

    def thumbnail(self, id: str, name: str) -> str:
        """stills/ID/picture.webp, or stills/ID/NAME.jpg of a map."""
        return f"{self.up}stills/{id}/{name}.{'webp' if name == 'picture' else 'jpg'}"

    def picture(self, name: str) -> str:
        """stills/OWN/NAME.webp."""
        return f"{self.up}stills/{self.page_name}/{name}.webp"

    def file(self, name: str) -> str:
        """The file itself."""
        return f"{self.up}{name}"

    def asset(self, name: str) -> str:
        """A style sheet or script."""
        return f"{self.up}assets/{name}"

    def data(self, name: str) -> str:
        """A script that delivers data."""
        return f"{self.up}data/{name}.js"


@dataclass(frozen=True)
class SingleFileLinks:
    """Places within one file, told apart by the address's fragment; `pictures` holds the page's own as data."""

    pictures: Mapping[str, str] = field(default_factory=dict)

    def page(self, name: str, anchor: str = "") -> str:
        """#page=NAME&at=ANCHOR."""
        return f"#page={name}{f'&at={anchor}' if anchor else ''}"

    def gallery(self, **filters: str) -> str:
        """The filters beside the page's name."""
        return f"#page=index&{_chosen(filters)}"

    def image(self, id: str, **state: str) -> str:
        """#page=image-ID, with the state beside it."""
        return f"#page=image-{id}{f'&{urlencode(state)}' if state else ''}"

    def tile(self, id: str, method: str) -> str:
        """#page=image-ID&at=METHOD."""
        return f"#page=image-{id}&at={method}"

    def tile_id(self, id: str, method: str) -> str:
        """The method's name after the image's id: the file has many images."""
        return f"{id}-{method}"

    def thumbnail(self, id: str, name: str) -> str:
        """Nothing: the page's script takes it from the data in the file."""
        return ""

    def picture(self, name: str) -> str:
        """The picture itself, as an address that needs no file; empty where the page has none of this name."""
        return self.pictures.get(name, "")

    def file(self, name: str) -> str:
        """Nothing: no file lies beside this one."""
        return ""
