"""A callback of Keras, with PyTorch under it, that reports on the network while it trains."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnvis_report.errors import BadRequest
from cnnvis_report.live.training import EpochReports, ReportLogger
from cnnvis_report.models.keras.convert import convert
from cnnvis_report.models.keras.library import keras_library

try:
    keras: Any = keras_library()
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("Keras isn't installed: pip install 'cnnvis-report[keras]'", name=error.name) from error

TOLERANCE = 1e-2  # of the largest output: half precision is allowed, a wrong conversion isn't


class ReportCallback(keras.callbacks.Callback):
    """Makes a report every few epochs, and one of the last epoch: `model.fit(…, callbacks=[ReportCallback(images)])`.

    The model is converted to a network of PyTorch as it is at that epoch, and compared with Keras's own output. Epochs
    are counted from 1.

    Args:
        images: N×H×W×C (or N×C×H×W where the model has channels first), as the model reads them, an array or a tensor;
            or a pair of these and labels.
        output, every, loggers, settings: as `EpochReports` takes them.

    Raises:
        BadRequest, UnknownName: a setting doesn't exist or isn't of its kind, or the images are something else.
    """

    def __init__(
        self,
        images: object,
        output: str | Path = "reports",
        *,
        every: int = 1,
        loggers: tuple[ReportLogger, ...] = (),
        **settings: Any,
    ) -> None:
        super().__init__()
        if isinstance(images, tuple) and len(images) == 2:
            images, labels = images
            settings.setdefault("labels", _labels(labels))
        self._values = _values(images)
        self.reports = EpochReports(None, output, every=every, loggers=loggers, **settings)
        self._epoch = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Make the report of the epoch where it is due."""
        self._epoch = epoch + 1
        if self._epoch % self.reports.every == 0:
            self._report()

    def on_train_end(self, logs: Any = None) -> None:
        """Make the report of the last epoch where it wasn't due."""
        if self._epoch % self.reports.every:
            self._report()

    def _report(self) -> None:
        try:
            network = self._converted()
        except Exception as error:
            self.reports.warn("There is no report", self._epoch, error)
            return
        self.reports.report(network, self._epoch)

    def _converted(self) -> nn.Module:
        """The model as a network of PyTorch with weights of its own, and the images as that reads them.

        Raises:
            NotConverted: it has a layer that isn't known. BadRequest: the network's output is another than Keras's.
        """
        conversion = convert(self.model)
        images, network = self._values.permute(conversion.images.order), conversion.network.eval()
        with torch.no_grad():
            ours = network(images[:2])
            output = keras.ops.convert_to_numpy(self.model(self._values[:2].numpy(), training=False))
        theirs = torch.from_numpy(output).float().permute(conversion.result.order)
        difference = float((ours - theirs).abs().max())
        if not difference <= TOLERANCE * max(1.0, float(theirs.abs().max())):
            raise BadRequest(f"The converted network's output differs from that of Keras by {difference:.2g}.")
        self.reports.images = images
        return network


def _values(images: object) -> Tensor:
    values = torch.as_tensor(np.asarray(images)) if not isinstance(images, Tensor) else images
    if values.ndim != 4:
        raise BadRequest(f"images have {values.ndim} axes; an array N×H×W×C, as the model reads it, is needed.")
    return values.detach().to("cpu", torch.float32)


def _labels(labels: Any) -> Any:
    """Class indices, of rows with a single 1 too."""
    values = np.asarray(labels)
    return (values.argmax(axis=1) if values.ndim == 2 and values.shape[1] > 1 else values.reshape(len(values))).tolist()
