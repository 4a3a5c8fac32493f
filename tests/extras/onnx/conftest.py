"""Small graphs are handled as large ones are."""

import pytest


@pytest.fixture(autouse=True)
def weights_beside_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the shortest tensors are set aside, which in use only those of some kilobytes are."""
    monkeypatch.setattr("cnnvis_report.models.onnx_graphs.weights.MOST_COPIED", 128)
