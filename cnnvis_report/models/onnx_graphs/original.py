"""An ONNX graph as onnxruntime runs it, to compare with."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cnnvis_report.models.onnx_graphs.inputs import ImageInput
from cnnvis_report.models.onnx_graphs.weights import Array


@dataclass
class Session:
    """Runs the content of an ONNX file on the CPU; made when it is first asked.

    content: the graph with all of its tensors. images: its input. output: the name of the output that is read. inner:
    the names of values within it that `with_inner` gives.
    """

    content: bytes
    images: ImageInput
    output: str
    inner: tuple[str, ...] = ()
    _session: Any = field(default=None, repr=False)

    def outputs(self, images: Tensor) -> Tensor:
        """[N, ...]: of normalized images [N, C, H, W].

        Raises:
            Exception: onnxruntime's own.
        """
        rows = [_row(self._run(image, [self.output])[0]) for image in images]
        return torch.from_numpy(np.stack(rows).astype(np.float32))

    def with_inner(self, image: Tensor) -> tuple[Tensor, dict[str, Array]]:
        """[1, ...]: the output for one normalized image [C, H, W]; and the inner values that led to it, by name.

        Raises:
            Exception: onnxruntime's own.
        """
        output, *inner = self._run(image, [self.output, *self.inner])
        scores = torch.from_numpy(_row(output)[np.newaxis].astype(np.float32))
        named = zip(self.inner, inner, strict=True)
        return scores, {name: value for name, value in named if isinstance(value, np.ndarray)}  # not sequences

    def leave_out_inner(self) -> None:
        """Run the graph as it is from now on, where its inner values can't be had."""
        self.inner, self._session = (), None

    def _run(self, image: Tensor, names: list[str]) -> list[Any]:
        """What it gives for one image, which is there as often as the graph wants images."""
        pixels = image.permute(1, 2, 0) if self.images.channels_last else image
        batch = pixels.unsqueeze(0).expand(self.images.batch or 1, -1, -1, -1)
        values = batch.contiguous().numpy().astype(self.images.dtype)
        results: list[Any] = self._open().run(names, {self.images.name: values})
        return results

    def _open(self) -> Any:
        if self._session is None:
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.log_severity_level = 4  # what goes wrong is raised; nothing is printed
            content = self.content + self._more_outputs()
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        return self._session

    def _more_outputs(self) -> bytes:
        """What makes outputs of the inner values: protobuf merges a message with one that follows it."""
        from onnx import GraphProto, ModelProto, helper

        infos = [helper.make_empty_tensor_value_info(name) for name in self.inner]
        return ModelProto(graph=GraphProto(output=infos)).SerializeToString() if infos else b""


def _row(output: Any) -> Array:
    """The first image's part of an output."""
    row: Array = np.asarray(output)[0]
    return row.reshape(row.shape[0]) if row.ndim and row.size == row.shape[0] else row


def library() -> str:
    """Its name and version."""
    import onnxruntime

    return f"onnxruntime {onnxruntime.__version__}"
