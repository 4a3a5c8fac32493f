"""The names of all numbers that rules can read."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

METHOD, CLASS = "METHOD", "CLASS"  # in brackets
MEASURE = "MEASURE"  # in a name: the name of any measure of maps
ABOVE_RANDOM, DIFFERENCE = "_above_random", "_difference"


@dataclass(frozen=True)
class ValueInfo:
    """A name that rules can read.

    key: what stands in brackets: METHOD, CLASS, or nothing. meaning: what the number is. missing: why a run has none,
    behind "isn't known: ". alone: whether there is one without brackets, too. compared: whether `compare` has it of the
    later run, on the images that it compares.
    """

    name: str
    key: str
    meaning: str
    missing: str = ""
    alone: bool = False
    compared: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        """As rules have it, such as "moved" and "moved[METHOD]"."""
        keyed = f"{self.name}[{self.key}]" if self.key else self.name
        return (self.name, keyed) if self.alone else (keyed,)


UNLABELED = "no image has a label that the network knows"
UNMEASURED = "it wasn't measured; --metrics quick or full measures maps"
NOT_COMPARED = "there is no other run; give --against RUN, or use 'cnnvis-report compare'"
OF_ONE_RUN = "it is a number of one run, not of a comparison; 'cnnvis-report render RUN --fail-if' reads it"

RUN_VALUES = (
    ValueInfo("images", "", "Images that are explained.", compared=True),
    ValueInfo("skipped", "", "Files that couldn't be read or explained."),
    ValueInfo("labeled", "", "Images with a label that the network knows.", compared=True),
    ValueInfo("misclassified", "", "Labeled images that are misclassified.", UNLABELED, compared=True),
    ValueInfo("accuracy", "", "Share of the labeled images that are classified correctly.", UNLABELED, compared=True),
    ValueInfo("top5_accuracy", "", "Share whose label is among the five highest scores.", UNLABELED, compared=True),
    ValueInfo("macro_f1", "", "Mean F1 over classes.", UNLABELED),
    ValueInfo("calibration_error", "", "Expected calibration error, from 0 to 1.", UNLABELED, compared=True),
    ValueInfo("recall", CLASS, "Share of the images of a class for which it is predicted.", UNLABELED, compared=True),
    ValueInfo("precision", CLASS, "Share of the predictions of a class that are correct.", UNLABELED),
    ValueInfo("exact_match", "", "Several labels per image: share with exactly their labels.", UNLABELED),
    ValueInfo("mean_average_precision", "", "Several labels per image: mean over labels.", UNLABELED),
    ValueInfo("recommended", "", "Methods that the report recommends.", UNMEASURED),
    ValueInfo("avoid", "", "Methods that the report says to avoid.", UNMEASURED),
    ValueInfo(
        MEASURE, METHOD, "Mean of a measure over images, e.g. pointing_game[grad_cam].", UNMEASURED, compared=True
    ),
    ValueInfo(f"{MEASURE}{ABOVE_RANDOM}", METHOD, "How much better than random maps of the same images.", UNMEASURED),
)
CHANGES = (
    ValueInfo("compared_images", "", "Images that all runs have.", NOT_COMPARED),
    ValueInfo("accuracy_difference", "", "Accuracy minus that of the first run, on the same images.", NOT_COMPARED),
    ValueInfo("fixed", CLASS, "Images that only the later run gets right.", NOT_COMPARED, alone=True),
    ValueInfo("broken", CLASS, "Images that only the first run gets right.", NOT_COMPARED, alone=True),
    ValueInfo("changed", "", "Images with another predicted class.", NOT_COMPARED),
    ValueInfo("mcnemar_p", "", "Two-sided p-value of McNemar's exact test on fixed and broken.", NOT_COMPARED),
    ValueInfo("brier_score", "", "Mean squared error of the probability of the predicted class.", NOT_COMPARED),
    ValueInfo("top5_accuracy_difference", "", "The same difference of top-5 accuracy.", NOT_COMPARED),
    ValueInfo("calibration_error_difference", "", "The same difference of the calibration error.", NOT_COMPARED),
    ValueInfo("brier_score_difference", "", "The same difference of the Brier score.", NOT_COMPARED),
    ValueInfo("recall_difference", CLASS, "The same difference of a class's recall.", NOT_COMPARED),
    ValueInfo(
        "moved",
        METHOD,
        "Median over images of 1 − rank correlation of both maps: 0 the same order, 1 no relation.",
        NOT_COMPARED,
        alone=True,
    ),
    ValueInfo("mask_energy", METHOD, "Share of positive relevance in the ground-truth mask.", NOT_COMPARED),
    ValueInfo("mask_energy_difference", METHOD, "The same minus that of the first run.", NOT_COMPARED),
    ValueInfo(
        f"{MEASURE}{DIFFERENCE}",
        METHOD,
        "Mean of a measure minus that of the first run, on the same images.",
        NOT_COMPARED,
    ),
)


def named(infos: Iterable[ValueInfo], measures: Collection[str]) -> dict[str, ValueInfo]:
    """Every name with what it stands for, once for each measure where a measure's is a part of it."""
    return {
        info.name.replace(MEASURE, measure): info
        for info in infos
        for measure in (measures if MEASURE in info.name else [""])
    }


def reason_missing(name: str, measures: Collection[str]) -> str:
    """Why a run may have no value of a name; empty of a name that there isn't."""
    info = named((*RUN_VALUES, *CHANGES), measures).get(name)
    return info.missing if info else ""
