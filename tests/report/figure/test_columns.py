"""Which methods a figure shows, from evidence that decides it."""

from dataclasses import replace

import pytest

from cnnvis_report.errors import BadRequest, UnknownName
from cnnvis_report.records.evidence import Check, Evidence, MethodEvidence, Standing
from cnnvis_report.records.images import NotApplicableRecord
from cnnvis_report.records.methods import Family
from cnnvis_report.report.figure.columns import MOST, Methods
from tests.evidence import records

METHODS = (
    records.info("cam", prominence=1),
    records.info("grad_cam", prominence=3),
    records.info("hires_cam"),
    records.info("gradient", family=Family.GRADIENT),
    records.info("saliency", family=Family.GRADIENT),
    records.info("lrp", family=Family.RELEVANCE),
    records.info("occlusion", family=Family.PERTURBATION),
    records.info("random", family=Family.BASELINE),
)
FAILED = (Check("randomization", False, None, "its maps stay the same when weights are randomized."),)
VERDICTS = (
    MethodEvidence("occlusion", "", Standing.BEST),
    MethodEvidence("cam", "", Standing.COMPARABLE),
    MethodEvidence("hires_cam", "", Standing.COMPARABLE, same_as="cam"),
    MethodEvidence("grad_cam", "", Standing.COMPARABLE),
    MethodEvidence("saliency", "", Standing.CHANCE),
    MethodEvidence("lrp", "", Standing.CHANCE),
    MethodEvidence("gradient", "", Standing.FAILED, checks=FAILED),
    MethodEvidence("random", "", Standing.REFERENCE),
)
EVIDENCE = Evidence(
    9, "gain", "", (), VERDICTS, recommended=("occlusion", "cam", "grad_cam"), avoid=("lrp", "gradient")
)
ROWS = tuple((method.name, "") for method in METHODS)
RUN = records.run(METHODS)


def names(methods: Methods) -> list[str]:
    return [column.method.name for column in methods.chosen()]


def test_the_best_of_each_family_the_one_that_stands_for_the_run_one_that_failed_and_random() -> None:
    columns = Methods(RUN, EVIDENCE, ROWS).chosen()
    assert [column.method.name for column in columns] == [
        "occlusion", "cam", "saliency", "lrp", "grad_cam", "gradient", "random"
    ]  # fmt: skip
    assert [column.best for column in columns] == [True, True, True, True, False, False, False]
    warnings = {column.method.name: column.warning for column in columns if column.warning}
    assert warnings == {
        "lrp": "not distinguishable from a random map",
        "gradient": "its maps stay the same when weights are randomized",
    }


def test_a_method_with_the_maps_of_another_never_comes_by_itself() -> None:
    better = tuple(sorted(VERDICTS, key=lambda verdict: verdict.method != "hires_cam"))
    assert "hires_cam" not in names(Methods(RUN, replace(EVIDENCE, methods=better), ROWS))


def test_where_none_failed_the_last_of_those_to_be_avoided_is_shown() -> None:
    passed = tuple(replace(one, checks=(), standing=Standing.CHANCE) if one.checks else one for one in VERDICTS)
    columns = Methods(RUN, replace(EVIDENCE, methods=passed), ROWS).chosen()
    assert [(c.method.name, c.warning) for c in columns][-2] == ("gradient", "not distinguishable from a random map")


def test_without_evidence_the_first_of_each_family_and_no_warning() -> None:
    columns = Methods(RUN, None, ROWS).chosen()
    assert [column.method.name for column in columns] == ["grad_cam", "gradient", "lrp", "occlusion", "random"]
    assert not any(column.warning for column in columns)


def test_evidence_that_ranks_none_leaves_the_order_to_prominence_and_twins_out() -> None:
    unranked = tuple(replace(verdict, standing=Standing.UNKNOWN, checks=()) for verdict in VERDICTS)
    evidence = replace(EVIDENCE, faithfulness="", methods=unranked, recommended=(), avoid=())
    assert names(Methods(RUN, evidence, ROWS)) == names(Methods(RUN, None, ROWS))
    same = tuple(replace(one, same_as="cam") if one.method == "grad_cam" else one for one in unranked)
    assert names(Methods(RUN, replace(evidence, methods=same), ROWS))[0] == "cam"


def test_there_are_never_more_than_eight_columns_with_the_input() -> None:
    more = tuple(records.info(f"own_{number}", family=f"family {number}") for number in range(9))
    methods = Methods(records.run([*METHODS, *more]), None, (*ROWS, *((method.name, "") for method in more)))
    assert len(methods.chosen()) == MOST == 7
    assert names(methods)[-1] == "random"


def test_layers_are_told_apart_where_a_method_has_several() -> None:
    rows = (("grad_cam", "late"), ("grad_cam", "early"), ("lrp", ""))
    columns = Methods(RUN, None, rows).named(["grad_cam@early", "grad_cam", "lrp", "lrp"])
    assert [column.title for column in columns] == ["Grad_Cam at early", "Grad_Cam at late", "Lrp"]


@pytest.mark.parametrize(
    ("name", "refusal", "message"),
    [
        pytest.param(
            "gradcam", UnknownName, "No method of this run is called 'gradcam'. Did you mean 'grad_cam'?", id="typo"
        ),
        pytest.param("lrp@x", UnknownName, "No layer of the maps of lrp is called 'x'.", id="layer"),
        pytest.param("cam", BadRequest, "cam has no map of these images: needs global average pooling.", id="none"),
    ],
)
def test_a_method_that_is_not_there_is_named(name: str, refusal: type[BadRequest], message: str) -> None:
    gap = NotApplicableRecord("cam", "needs global average pooling")
    run = records.run(METHODS, not_applicable=[gap])
    with pytest.raises(refusal) as error:
        Methods(run, None, tuple(row for row in ROWS if row[0] != "cam")).named([name])
    assert message in str(error.value)
