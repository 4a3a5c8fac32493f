"""A run without the maps of some methods, for pages that have to stay small."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.store.run_folder import Array, StoredRun

PRESETS = ("quick", "standard")  # smallest set first; all others come after


@dataclass(frozen=True)
class RunWithFewerMaps(StoredRun):
    """A stored run that shows the maps of all methods but some; what was measured of these stays.

    left_out: names of the methods whose maps aren't shown.
    """

    left_out: frozenset[str] = frozenset()

    def images(self) -> Iterator[ImageRecord]:
        """The images in order, each with the maps that are shown."""
        for image in super().images():
            yield replace(image, maps=tuple(record for record in image.maps if record.method not in self.left_out))

    def unchecked_arrays(self, image: ImageRecord) -> dict[str, Array]:
        """The arrays of the maps that are shown, and of the picture.

        Raises:
            Damaged: the file isn't as it was written. BadRequest: the run keeps no arrays.
        """
        return {key: array for key, array in super().unchecked_arrays(image).items() if self._is_shown(key)}

    def _is_shown(self, key: str) -> bool:
        method, _, rest = key.partition("/")
        return not (rest and method in self.left_out)


def most_useful_first(run: StoredRun) -> list[str]:
    """The methods of a run in the order in which a page that has room for some of them takes them.

    That is the order of the evidence, best first; without evidence, the smallest set that a method belongs to, and
    there the method that stands for the run first.
    """
    missing = {gap.method for gap in run.record.not_applicable if not gap.layer}
    names = [method.name for method in run.record.methods if method.name not in missing]
    evidence = run.evidence
    if evidence is None:
        ranks = {method.name: (_preset(method), -method.prominence) for method in run.record.methods}
        return sorted(names, key=ranks.__getitem__)
    judged = [row.method for row in evidence.methods]
    order = {name: judged.index(name) if name in judged else len(judged) for name in names}
    return sorted(names, key=order.__getitem__)


def _preset(method: MethodInfo) -> int:
    return PRESETS.index(method.preset) if method.preset in PRESETS else len(PRESETS)
