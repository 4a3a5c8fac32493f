"""What TensorBoard's own reader finds in the event file after a report was logged."""

from pathlib import Path

import numpy as np

from cnnvis_report.live import TensorBoardLogger
from tests.extras.needs import needs
from tests.live.reports import a_measure, epoch_report, same_picture, scalars

needs("tensorboard")

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: E402
from torch.utils.tensorboard import SummaryWriter  # noqa: E402


def test_the_event_file_holds_the_report(tmp_path: Path) -> None:
    report = epoch_report(tmp_path / "report")
    writer = SummaryWriter(str(tmp_path / "events"))
    logger = TensorBoardLogger(writer)
    logger.log(report, 1)
    logger.log(report, 2)

    events = EventAccumulator(str(tmp_path / "events"), size_guidance={"images": 0, "tensors": 0, "scalars": 0})
    events.Reload()
    entries = events.Images("cnnvis_report/figure")
    assert [entry.step for entry in entries] == [1, 2]
    assert all(same_picture(entry.encoded_image_string, report) for entry in entries)
    assert set(events.Tags()["scalars"]) == scalars(report)
    name, value = a_measure(report)
    assert [entry.step for entry in events.Scalars(name)] == [1, 2]
    assert np.isclose(events.Scalars(name)[0].value, value, rtol=1e-6)
    text = events.Tensors("cnnvis_report/findings/text_summary")[0].tensor_proto.string_val[0].decode()
    assert all(finding in text for finding in report.findings) and str(report.page) in text
    writer.close()
