"""What is inspected without being asked for by a budget: what is named of the layers, beside any method."""

from typing import Any

import pytest
import torch

from cnnvis_report.engine.subject import Subject
from cnnvis_report.pipeline.config import ExplainConfig, InspectConfig
from cnnvis_report.pipeline.inspection.budget import BY_EFFORT, plan_inspection
from tests.networks import Tiny, seeded

ONE_METHOD = ExplainConfig(methods=("grad_cam",), effort="low")
NAMED = [{"units": ("features.0:1",)}, {"maximize": ("features.0:1",)}]


@pytest.fixture(scope="module")
def subject() -> Subject:
    return Subject(seeded(Tiny(5)), torch.zeros(1, 3, 40, 40))


@pytest.mark.parametrize("named", NAMED, ids=["unit", "maximize"])
def test_what_is_named_is_shown_beside_any_method(named: Any, subject: Subject) -> None:
    assert plan_inspection(InspectConfig(), ONE_METHOD, subject) is None
    plan = plan_inspection(InspectConfig(**named), ONE_METHOD, subject)
    assert plan is not None and plan.budget == BY_EFFORT["low"]
    assert bool(plan.units) == ("units" in named) and bool(plan.objectives) == ("maximize" in named)
