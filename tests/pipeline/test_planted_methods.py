"""What a run says of methods that somebody plants: the mask itself, an edge detector, a constant map, noise."""

from collections.abc import Iterator

import pytest

from cnnvis_report.records.evidence import Check, Evidence, MethodEvidence, Standing
from cnnvis_report.store import load_run
from tests.conftest import command, forget_methods
from tests.narrow import present

PLANTED = ("disc", "sobel", "constant", "second_random")
OTHERS = ("saliency", "input_x_gradient", "integrated_gradients", "grad_cam", "random")
IMAGES = 10


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evidence]:
    """The evidence of one run of planted and other methods."""
    folder = tmp_path_factory.mktemp("planted")
    names = [*OTHERS, *(f"tests.pipeline.planted_methods:{name}" for name in PLANTED)]
    words = ["--methods", ",".join(names), "--masks", folder / "masks", "--metrics", "quick", "--inspect", "none"]
    with pytest.MonkeyPatch.context() as patch:
        forget_methods(patch)
        from tests.pipeline.planted_methods import draw  # which announces the methods

        draw(folder, IMAGES)
        network = "tests.pipeline.planted_methods:Stripes"
        command("run", network, folder / "images", "-o", folder / "r", "--device", "cpu", "--quiet", *words)
        yield present(load_run(folder / "r").record.evidence)


def verdict(evidence: Evidence, name: str) -> MethodEvidence:
    (method,) = (method for method in evidence.methods if method.method == name)
    return method


def check(method: MethodEvidence, name: str) -> Check:
    (result,) = (result for result in method.checks if result.name == name)
    return result


def test_the_run_tells(evidence: Evidence) -> None:
    assert evidence.images == IMAGES
    (ranking,) = (measure for measure in evidence.measures if measure.name == evidence.faithfulness)
    assert ranking.images == IMAGES, ranking.left_out
    real = {method.standing for method in evidence.methods if method.method in OTHERS}
    assert Standing.BEST in real, "a method of the tool is better than a random map here"


@pytest.mark.parametrize("measure", ["relevance_rank_accuracy", "relevance_mass_accuracy", "best_iou"])
def test_the_mask_itself_comes_first_on_localization(evidence: Evidence, measure: str) -> None:
    values = {method.method: method.measures[measure].value.mean for method in evidence.methods}
    assert values["disc"] == pytest.approx(1)
    assert all(value < 1 for name, value in values.items() if name != "disc"), values
    assert evidence.localization == "relevance_rank_accuracy"


def test_an_edge_detector_fails_randomization(evidence: Evidence) -> None:
    sobel = verdict(evidence, "sobel")
    result = check(sobel, "randomization")
    assert result.passed is False
    assert present(result.value).mean == pytest.approx(1), "no weight changes it"
    assert sobel.standing is Standing.FAILED
    assert "sobel" in evidence.avoid
    assert any("Sobel" in text and "all weights are randomized" in text for text in evidence.text)


def test_a_method_that_reads_the_network_does_not(evidence: Evidence) -> None:
    assert check(verdict(evidence, "input_x_gradient"), "randomization").passed is not False


def test_a_constant_map_is_named_as_such(evidence: Evidence) -> None:
    constant = verdict(evidence, "constant")
    result = check(constant, "constant")
    assert result.passed is False
    assert f"constant map, a single value everywhere on {IMAGES} of {IMAGES} images" in result.reason
    assert constant.standing is Standing.FAILED
    assert "constant" in evidence.avoid
    assert any("Constant" in text and "constant map" in text for text in evidence.text)


def test_a_second_random_map_is_not_better_than_a_random_map(evidence: Evidence) -> None:
    second = verdict(evidence, "second_random")
    assert check(second, "randomization").passed, "it is noise alone that has to tell"
    assert second.standing in (Standing.CHANCE, Standing.WORSE)
    assert "second_random" not in evidence.recommended
    difference = present(second.measures[evidence.faithfulness].difference)
    assert present(difference.low) < 0 < present(difference.high)
