"""Parts of a record that a run has where it was asked for them."""

from pathlib import Path

from cnnvis_report.models.trained_file import TrainedModel, read_trained
from cnnvis_report.records.inspection import InspectionRecord
from cnnvis_report.store import StoredRun


def inspection_of(run: StoredRun) -> InspectionRecord:
    """What a run holds of the layers."""
    assert run.record.inspection is not None
    return run.record.inspection


def model_of(path: Path) -> TrainedModel:
    """The model in a file that training wrote."""
    model = read_trained(path)
    assert model is not None
    return model
