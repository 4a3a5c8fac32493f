"""An ONNX graph as onnxruntime runs it, to compare with."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cnnvis_report.models.onnx_graphs.inputs import ImageInput


@dataclass
class Session:
    """Runs the content of an ONNX file on the CPU; made when it is first asked.

    content: the graph with all of its tensors. images: its input. output: the name of the output that is read.
    """

    content: bytes
    images: ImageInput
    output: str
    _session: Any = field(default=None, repr=False)

    def outputs(self, images: Tensor) -> Tensor:
        """[N, ...]: of normalized images [N, C, H, W].

        Raises:
            Exception: onnxruntime's own.
        """
        rows = [self._row(image) for image in images]
        return torch.from_numpy(np.stack(rows).astype(np.float32))

    def _row(self, image: Tensor) -> np.ndarray[Any, Any]:
        """What it gives for one image, which is there as often as the graph wants images."""
        pixels = image.permute(1, 2, 0) if self.images.channels_last else image
        batch = pixels.unsqueeze(0).expand(self.images.batch or 1, -1, -1, -1)
        values = batch.contiguous().numpy().astype(self.images.dtype)
        result = self._open().run([self.output], {self.images.name: values})[0]
        row: np.ndarray[Any, Any] = np.asarray(result)[0]
        return row.reshape(row.shape[0]) if row.ndim and row.size == row.shape[0] else row

    def _open(self) -> Any:
        if self._session is None:
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.log_severity_level = 4  # what goes wrong is raised; nothing is printed
            self._session = onnxruntime.InferenceSession(self.content, options, providers=["CPUExecutionProvider"])
        return self._session


def library() -> str:
    """Its name and version."""
    import onnxruntime

    return f"onnxruntime {onnxruntime.__version__}"
