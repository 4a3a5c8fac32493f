"""What every page of a comparison is made from."""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property
from heapq import nsmallest
from typing import overload

from cnnvis_report.comparison.align import side_by_side
from cnnvis_report.evidence.families import well_known_first
from cnnvis_report.records.compared_images import ComparedImage, ComparedPrediction, Flip
from cnnvis_report.records.comparison import ComparedMethod, Comparison
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import Kind
from cnnvis_report.report.comparison.maps import Arrays
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.methods.method_order import best_methods
from cnnvis_report.store.run_folder import StoredRun

PAGES = 200  # images that have a page, unless more are asked for
ORDER = (Flip.BROKEN, Flip.FIXED, Flip.CHANGED)  # what is shown before all other images, in this order


class ChosenImages(Sequence[ComparedImage]):
    """Some of the compared images in an order of their own, each read when it is asked for.

    change: what each of them becomes; itself without one.
    """

    def __init__(
        self,
        images: Sequence[ComparedImage],
        numbers: Sequence[int],
        change: Callable[[ComparedImage], ComparedImage] | None = None,
    ) -> None:
        """Choose images by their numbers."""
        self._images, self.numbers, self._change = images, tuple(numbers), change

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> ComparedImage: ...

    @overload
    def __getitem__(self, index: slice) -> "ChosenImages": ...

    def __getitem__(self, index: int | slice) -> "ComparedImage | ChosenImages":
        if isinstance(index, slice):
            return ChosenImages(self._images, self.numbers[index], self._change)
        image = self._images[self.numbers[index]]
        return self._change(image) if self._change else image

    @property
    def in_order(self) -> "ChosenImages":
        """The same in the order in which they are compared."""
        return ChosenImages(self._images, sorted(self.numbers), self._change)


class ComparedReport:
    """A comparison with the runs that it is of.

    images: those that have a page, most changed first: broken, fixed, changed, then by how far their maps moved.
    ids: theirs.
    """

    def __init__(self, comparison: Comparison, runs: Sequence[StoredRun], most: int = PAGES) -> None:
        self.comparison, self.runs = comparison, tuple(runs)
        rows = ((*_most_changed(image), number, image.id) for number, image in enumerate(comparison.images))
        chosen = nsmallest(most, rows)
        self.images = ChosenImages(comparison.images, [number for _, _, number, _ in chosen])
        self.ids = [id for *_, id in chosen]

    @property
    def names(self) -> list[str]:
        """What the runs are called."""
        return [run.name for run in self.comparison.runs]

    @property
    def left_out(self) -> int:
        """How many images have no page."""
        return len(self.comparison.images) - len(self.images)

    @cached_property
    def methods(self) -> Sequence[ComparedMethod]:
        """The methods of which some image has a map in all runs, by family, the best known first, random maps last."""
        infos = well_known_first([method.info for method in self.comparison.methods])
        position = {info.name: number for number, info in enumerate(infos)}
        return sorted(self.comparison.methods, key=lambda method: position[method.info.name])

    @property
    def shown(self) -> ComparedMethod | None:
        """The method whose maps are shown first: the best of the first run, else the most prominent one."""
        return next((method for method in self.ranked if not method.info.baseline), None)

    @cached_property
    def ranked(self) -> list[ComparedMethod]:
        """The methods, those that the first run recommends before others, and what explains nothing last."""
        names = [best.name for best in best_methods(self.runs[0].record, self.runs[0].evidence)]
        rank = {name: number for number, name in enumerate(names)}
        return sorted(
            self.methods,
            key=lambda method: (
                method.info.baseline,
                rank.get(method.info.name, len(rank)),
                -method.info.prominence,
                method.info.class_agnostic,
            ),
        )

    @cached_property
    def second(self) -> ComparedMethod | None:
        """A method of another kind of maps: the one whose relevance in the mask changed most, else the next best."""
        coarse = self.shown is not None and self.shown.info.kind is Kind.LAYER
        explaining = [method for method in self.ranked if not method.info.baseline]
        others = [method for method in explaining if (method.info.kind is Kind.LAYER) is not coarse]
        masked = [method for method in others if mask_change(method) is not None]
        judged = others[:1] if self.runs[0].evidence is not None else []  # without evidence, chance would choose it
        return max(masked, key=lambda method: mask_change(method) or 0.0, default=next(iter(judged), None))

    def records(self, ids: Collection[str] = ()) -> Iterator[tuple[ComparedImage, tuple[ImageRecord, ...]]]:
        """Images with their records in each run, in the order of the first run; those that have a page without ids."""
        images: Sequence[ComparedImage] = self.images.in_order
        if ids:
            images = [image for image in self.comparison.images if image.id in set(ids)]
        yield from zip(images, side_by_side(self.runs, [image.ids for image in images]), strict=True)

    def arrays(self, records: Sequence[ImageRecord]) -> list[Arrays]:
        """The arrays of an image in each run."""
        return [run.maps(record) for run, record in zip(self.runs, records, strict=True)]

    @cached_property
    def position(self) -> dict[str, int]:
        """The number of each image that has a page, from 0, by its id."""
        return {id: number for number, id in enumerate(self.ids)}


def strongest_flip(image: ComparedImage) -> Flip:
    """What became of an image in any of the later runs: broken counts before fixed, and that before the rest."""
    return next((flip for flip in ORDER if flip in image.flips), image.flips[-1])


def moved(image: ComparedImage) -> float | None:
    """How far the maps of an image moved at most, over the later runs; None where that isn't known."""
    return max((value for value in image.movement if value is not None), default=None)


def mask_change(method: ComparedMethod) -> float | None:
    """How far the share of a method's relevance in the mask changed, in the mean over images; None without masks."""
    changes = [abs(value.mean) for value in method.mask_energy_difference if value is not None]
    return max(changes, default=None)


def image_mask_change(image: ComparedImage, method: ComparedMethod) -> float | None:
    """The same of one image."""
    first, *later = image.mask_energy.get(method.key, (None,))
    changes = [abs(value - first) for value in later if value is not None and first is not None]
    return max(changes, default=None)


def _most_changed(image: ComparedImage) -> tuple[int, float]:
    flip, value = strongest_flip(image), moved(image)
    return (ORDER.index(flip) if flip in ORDER else len(ORDER)), -(value if value is not None else -1.0)


def answer(prediction: ComparedPrediction) -> str:
    """The class, the labels or the output."""
    return prediction.name or "nothing"


def extent(prediction: ComparedPrediction) -> str:
    """The probability, the share of the picture or the value; empty where there is none."""
    if prediction.value is not None:
        return fmt.number(prediction.value)
    return "" if prediction.probability is None else fmt.percent(prediction.probability)


def predicted(prediction: ComparedPrediction) -> str:
    """Such as "cat (98.2%)", or "age = 41.2" where scores are values; the class alone where nothing more is known."""
    value = extent(prediction)
    if prediction.value is not None:
        return f"{answer(prediction)} = {value}"
    return f"{answer(prediction)} ({value})" if value else answer(prediction)
