"""The small files that people bring beside images: a whole one of each form, and the command that reads it."""

import io
import json
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

NAMES = ("circle", "cross", "ring", "square", "triangle")
FILES = tuple(f"{NAMES[number]}-{number}.png" for number in range(4))
RUN = ("run", "tests.factories:tiny")
QUICK = ("-m", "gradient", "--inspect", "none", "--metrics", "none", "-o", "report", "-q")
BOX = (
    "<annotation><size><width>40</width><height>40</height><depth>3</depth></size><object><name>cross</name><bndbox>"
    "<xmin>4</xmin><ymin>5</ymin><xmax>20</xmax><ymax>30</ymax></bndbox></object></annotation>"
)


@dataclass(frozen=True)
class SmallFile:
    """A file, where it lies, what it holds when it is whole, and the command that reads it.

    member: what it is called in an archive, where the path is that of one.
    """

    path: str
    content: bytes
    words: tuple[str, ...]
    member: str = ""

    @property
    def name(self) -> str:
        """As a trial that went wrong is called."""
        return f"{self.path}{'/' * bool(self.member)}{self.member} ({self.words[0]})"

    def packed(self, content: bytes) -> bytes:
        """What the file holds where this is its content, or that of its member."""
        return archived([(self.member, content)], self.path.rpartition(".")[2]) if self.member else content


def small_files() -> list[SmallFile]:
    """One of each form."""
    labels = [*RUN, "pictures", *QUICK, "--labels"]
    classes = [*RUN, "pictures", *QUICK, "--class-names"]
    rows = list(zip(FILES, NAMES, strict=False))
    objects = [{"file_name": file, "label": label, "split": "val"} for file, label in rows]
    table = "file,label,split\n" + "".join(f"{file},{label},val\n" for file, label in rows)
    lines = "".join(json.dumps(entry) + "\n" for entry in objects)
    settings = 'seed = 3\nclasses = "top:2"\nmean = [0.5, 0.5, 0.5]\n[options.smoothgrad]\nn = 4\nlevel = 0.1\n'
    drawn = {"format": "cnnvis-report-dataset/1", "complete": True, "files": ["images/cross/0.png"]}
    listed = [
        ("labels.csv", table, labels),
        ("labels.tsv", table.replace(",", "\t"), labels),
        ("labels.jsonl", lines, labels),
        ("labels.json", json.dumps(objects), labels),
        ("pairs.json", json.dumps(dict(rows)), labels),
        ("columns.json", json.dumps({"file": FILES, "label": NAMES[:4]}), labels),
        ("coco.json", json.dumps(coco()), labels),
        ("list.txt", "".join(f"{file} {label}\n" for file, label in rows), labels),
        ("several.csv", "file,labels\n" + "".join(f"{file},\"['{label}', 'ring']\"\n" for file, label in rows), labels),
        ("pictures/table.csv", table, [*RUN, "pictures/table.csv", *QUICK]),
        ("pictures/list.txt", "\n".join(FILES), [*RUN, "pictures/list.txt", *QUICK]),
        ("pictures/coco.json", json.dumps(coco()), [*RUN, "pictures/coco.json", *QUICK]),
        ("pictures/metadata.jsonl", lines, [*RUN, "pictures", *QUICK]),
        ("names.txt", "\n".join(NAMES), classes),
        ("numbered.txt", "\n".join(f"{number}: {name}" for number, name in enumerate(NAMES)), classes),
        ("names.json", json.dumps(dict(enumerate(NAMES))), classes),
        ("names.py", repr(dict(enumerate(NAMES))), classes),
        ("names.csv", "index,name\n" + "".join(f"{number},{name}\n" for number, name in enumerate(NAMES)), classes),
        ("settings.toml", settings, [*RUN, "pictures", *QUICK, "-m", "smoothgrad", "--config", "settings.toml"]),
        ("boxes/cross-1.xml", BOX, [*RUN, "pictures", *QUICK, "--masks", "boxes"]),
        ("drawn/dataset.json", json.dumps(drawn), [*RUN, "drawn", *QUICK]),
        ("drawn/dataset.json", json.dumps(drawn), ["make-dataset", "shapes", "-n", "5", "--size", "24", "-o", "drawn"]),
        ("network/config.json", json.dumps({"architecture": "resnet18"}), ["run", "network", "pictures", *QUICK]),
        ("voc/ImageSets/Main/val.txt", "cross-1\nring-2\n", [*RUN, "voc", *QUICK, "--split", "val"]),
        ("voc/Annotations/cross-1.xml", BOX, [*RUN, "voc", *QUICK]),
    ]  # fmt: skip
    whole = [
        SmallFile(path, text.encode(), tuple([*words, path] if words in (labels, classes) else words))
        for path, text, words in listed
    ]
    inside = (
        ("set.zip", "table.csv", table),
        ("set.zip", "table.jsonl", lines),
        ("set.tar", "cross-1.json", '{"cls": 1}'),
    )
    packed = [SmallFile(path, text.encode(), (*RUN, path, *QUICK), member) for path, member, text in inside]
    return [*whole, *packed]


def coco() -> dict[str, object]:
    """Annotations of the pictures: a box, an outline, and runs."""
    areas: tuple[object, ...] = ([[4, 4, 20, 4, 20, 30]], {"size": [40, 40], "counts": [100, 20, 1480]}, [])
    return {
        "images": [{"id": at, "file_name": file, "width": 40, "height": 40} for at, file in enumerate(FILES)],
        "categories": [{"id": at, "name": name} for at, name in enumerate(NAMES)],
        "annotations": [
            {"id": at, "image_id": at, "category_id": at, "bbox": [2, 2, 9, 9], "segmentation": area}
            for at, area in enumerate(areas)
        ],
    }


def lay_out(folder: Path) -> None:
    """Everything that the commands find, but the small files themselves."""
    for part in ("pictures", "drawn/images/cross", "drawn/masks", "network", "boxes", "voc/JPEGImages",
                 "voc/Annotations", "voc/ImageSets/Main"):  # fmt: skip
        (folder / part).mkdir(parents=True)
    for number, name in enumerate(FILES):
        picture = Image.new("RGB", (40, 40), (40 * number, 90, 20))
        picture.save(folder / "pictures" / name)
        picture.save(folder / "voc" / "JPEGImages" / name.replace("png", "jpg"))
    Image.new("RGB", (24, 24)).save(folder / "drawn" / "images" / "cross" / "0.png")
    (folder / "drawn" / "mine.txt").write_text("somebody's own")


def archived(whole: Sequence[tuple[str, bytes]], kind: str) -> bytes:
    """An archive of the pictures of a red square and some other members."""
    picture = io.BytesIO()
    Image.new("RGB", (40, 40), (200, 0, 0)).save(picture, "PNG")
    made = io.BytesIO()
    members = [*((name, picture.getvalue()) for name in FILES), *whole]
    if kind == "zip":
        with zipfile.ZipFile(made, "w") as file:
            for name, content in members:
                file.writestr(name, content)
        return made.getvalue()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return made.getvalue()
