"""Where too few images count for a ranking, methods stand as figures show them, and their numbers aren't denied."""

from dataclasses import replace

from cnnvis_report.evidence import evidence_of, words
from cnnvis_report.evidence.families import by_family, well_known_first
from cnnvis_report.evidence.markdown import markdown
from cnnvis_report.records.evidence import Evidence, Standing
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import Family
from cnnvis_report.records.run import RunRecord
from tests.evidence import records
from tests.evidence.test_verdicts import planted
from tests.narrow import present

INFOS = (
    records.info("a_gradient", family=Family.GRADIENT, source="One 2013"),
    records.info("a_cam", source="One 2020"),
    records.info("b_flat", prominence=9, source="One 2016"),
    records.info("c_known", prominence=5, source="One 2017"),
    records.info("d_cam", source="One 2016"),
    records.info("random", family=Family.BASELINE),
)
NAMES = [info.name for info in INFOS]


def flat(image: ImageRecord) -> ImageRecord:
    """The image with one value everywhere in the map of "b_flat"."""
    names = [record.method for record in image.maps]
    agreement = [[0.5 if one != other else None if one == "b_flat" else 1.0 for other in names] for one in names]
    metrics = replace(present(image.metrics), agreement=tuple(map(tuple, agreement)))
    return replace(image, metrics=metrics)


def unranked(images: int = 3) -> tuple[RunRecord, Evidence]:
    effects = {name: float(number) for number, name in enumerate(NAMES) if name != "random"}
    made = list(map(flat, planted(0, images, **effects)))
    run = records.run(INFOS, count=images)
    return run, present(evidence_of(run, made))


def test_by_family_the_best_known_first_and_those_that_failed_behind() -> None:
    run, evidence = unranked()
    order = ["c_known", "d_cam", "a_cam", "a_gradient", "b_flat", "random"]
    assert [method.method for method in evidence.methods] == order
    assert [info.name for info in well_known_first(run.methods)][:3] == ["b_flat", "c_known", "d_cam"]
    assert [info.name for info in by_family(run.methods)][:4] == ["b_flat", "d_cam", "c_known", "a_cam"]


def test_where_there_is_a_ranking_it_alone_orders() -> None:
    assert [method.method for method in unranked(16)[1].methods][:2] == ["d_cam", "c_known"]


def test_a_method_with_numbers_is_not_ranked_but_measured() -> None:
    run, evidence = unranked()
    stated = {method.method: words.standing(method, evidence) for method in evidence.methods}
    assert set(stated.values()) == {"not ranked", "failed a check", "reference"}
    assert "not measured" not in markdown(evidence, run)
    unmeasured = replace(evidence.methods[0], measures={})
    assert unmeasured.standing is Standing.UNKNOWN and words.standing(unmeasured, evidence) == "not measured"


def test_the_title_over_warnings_names_what_they_are_about() -> None:
    evidence = unranked()[1]
    same = replace(evidence, methods=(evidence.methods[0], replace(evidence.methods[1], same_as="c_known")), avoid=())
    assert words.warnings_title(replace(evidence, avoid=())) == ""
    assert words.warnings_title(same) == "Which maps are the same"
    assert words.warnings_title(replace(evidence, avoid=("a_cam",))) == "What to avoid"
    assert words.warnings_title(replace(same, avoid=("a_cam",))) == "What to avoid, and which maps are the same"
