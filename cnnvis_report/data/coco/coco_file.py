"""COCO's annotations of objects: labels and areas of images."""

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from cnnvis_report.data.coco.areas import Area, Areas
from cnnvis_report.data.tables.table import LabelFile, LabelRow
from cnnvis_report.errors import BadRequest, shown


def is_coco(content: object) -> bool:
    """Whether JSON holds annotations in the form of COCO."""
    return (
        isinstance(content, Mapping)
        and isinstance(content.get("images"), list)
        and isinstance(content.get("annotations"), list)
        and not ("labels" in content and "categories" not in content)
    )


def coco_rows(content: Mapping[str, Any], name: str) -> LabelFile:
    """The images of COCO's annotations: their labels, that of the largest area first, and areas of objects.

    Raises:
        BadRequest: the annotations are of another task, or of another form, or one id is of two images or categories.
    """
    categories = _categories(content, name)
    _check_ids(content["images"], _path, "images", name)
    by_image: dict[object, list[Area]] = {}
    odd = 0
    for annotation in content["annotations"]:
        area = _area(annotation, categories)
        if area is None or _key(annotation.get("image_id")) is None:
            odd += 1
        else:
            by_image.setdefault(_key(annotation.get("image_id")), []).append(area)
    rows = []
    for image in content["images"]:
        path = _path(image)
        if path:
            rows.append(_row(path, image, by_image.get(_key(image.get("id")), [])))
    if not rows:
        raise BadRequest(f"{name}: its images have no file_name.")
    objects = sum(map(len, by_image.values()))
    notices = [f"{name}: COCO's annotations, {objects:,} objects of {len(categories):,} categories."]
    if odd:
        what = "1 annotation is of no category or no object" if odd == 1 else f"{odd:,} annotations are of no category"
        notices.append(f"{name}: {what}, and left out.")
    return LabelFile(name, rows, tuple(notices))


def _categories(content: Mapping[str, Any], name: str) -> dict[object, str]:
    annotations = content["annotations"]
    first = next((entry for entry in annotations if isinstance(entry, Mapping)), {})
    if "caption" in first:
        raise BadRequest(f"{name}: captions, which are no labels; give the instances file of the same images.")
    if "segments_info" in first:
        raise BadRequest(f"{name}: a panoptic segmentation; give the instances file of the same images.")
    listed = content.get("categories")
    _check_ids(listed if isinstance(listed, list) else [], lambda entry: str(entry.get("name")), "categories", name)
    categories = {
        _key(entry.get("id")): str(entry.get("name"))
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, Mapping) and isinstance(entry.get("name"), str)
    }
    if annotations and not categories:
        raise BadRequest(f"{name}: annotations without categories, which no label can be read from.")
    return categories


def _check_ids(entries: list[Any], name_of: Callable[[Mapping[str, Any]], str], what: str, file: str) -> None:
    """Refuse ids that stand for two things, as where files were put together: annotations would go to either."""
    names: dict[object, str] = {}
    for entry in entries:
        key = _key(entry.get("id")) if isinstance(entry, Mapping) else None
        if key is None:
            continue
        other = names.setdefault(key, name_of(entry))
        if other != name_of(entry):
            raise BadRequest(
                f"{file}: id {shown(key)} is that of two {what}, {shown(other)} and {shown(name_of(entry))}; "
                f"each needs one of its own."
            )


def _area(annotation: object, categories: Mapping[object, str]) -> Area | None:
    """Where an object is; None where the annotation isn't one."""
    if not isinstance(annotation, Mapping):
        return None
    category = categories.get(_key(annotation.get("category_id")))
    return None if category is None else Area(category, annotation.get("bbox"), annotation.get("segmentation"))


def _row(path: str, image: Mapping[str, Any], areas: list[Area]) -> LabelRow:
    totals: dict[str, float] = {}
    for area in areas:
        totals[area.label] = totals.get(area.label, 0.0) + area.box_size
    labels = sorted(totals, key=lambda label: -totals[label])
    mask = Areas((image.get("width"), image.get("height")), tuple(areas)) if areas else None
    return LabelRow(path, tuple(labels), bare=not areas, mask=mask)


def _path(image: object) -> str:
    """The file of an image; LVIS has addresses alone, that end in it."""
    if not isinstance(image, Mapping):
        return ""
    name = image.get("file_name")
    if isinstance(name, str) and name.strip():
        return name.strip()
    address = image.get("coco_url")
    return PurePosixPath(urlsplit(address).path).name if isinstance(address, str) else ""


def _key(id: object) -> object:
    """An identifier; lists and the like are none."""
    return id if isinstance(id, int | str) else None
