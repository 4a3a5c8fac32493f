"""Somebody's network as it is run here: in eval mode, on copies of what its passes change, and read for its scores."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress

import torch
from torch import Tensor, nn

from cnnvis_report.engine.bfloat16 import Weights, reduced_weights, run_reduced
from cnnvis_report.engine.graph.layer_calls import Keep, LayerCalls
from cnnvis_report.engine.graph.layer_hooks import LayerCall, recorded_calls
from cnnvis_report.engine.graph.layer_inputs import LayerInputs
from cnnvis_report.engine.outputs.choose_reader import choose_reader
from cnnvis_report.engine.outputs.functions import TargetFailed
from cnnvis_report.engine.outputs.logits import LogitsSource, NotedCalls
from cnnvis_report.engine.outputs.readers import Anchor, OutputReader
from cnnvis_report.errors import CnnVisError
from cnnvis_report.isolation.buffers import OwnState
from cnnvis_report.isolation.context import ImageBuffer, as_scores, check_shape, full_precision, grad_mode
from cnnvis_report.isolation.diagnosis import check_example, check_open, check_scores, refusal
from cnnvis_report.isolation.eager import eager, unwrapped
from cnnvis_report.isolation.eval_mode import eval_mode
from cnnvis_report.isolation.flat_programs import with_layers
from cnnvis_report.isolation.lock import exclusive
from cnnvis_report.isolation.process_state import running_user_code


class _Seen(Exception):
    """A layer has run, and nothing after it is wanted."""


class NetworkRunner:
    """Runs a network on images of any number.

    Args:
        network: gives something that scores can be read from for N×C×H×W images. It is never changed for good.
        example: [1, C, H, W], one normalized image. name: what the report calls the network.
        state: what passes of the network may change, where somebody keeps it.
        requested: the task that the output is read for, or "auto". reader: where it isn't chosen by that.

    Raises:
        BadRequest: the network's operations can't be followed, or the example doesn't fit its weights.
    """

    def __init__(
        self,
        network: nn.Module,
        example: Tensor,
        name: str,
        state: OwnState | None,
        *,
        requested: str = "auto",
        reader: OutputReader | None = None,
    ) -> None:
        self.network = with_layers(unwrapped(network))
        self.name = name
        self.size = (int(example.shape[2]), int(example.shape[3]))
        self.device = example.device
        self._tail: LogitsSource | None = None  # where the logits are, where the network doesn't give them itself
        self._in_eval_mode = False
        self._buffer = ImageBuffer()
        self._reduced: Weights | None = None
        self._weights: Weights | None = None
        self._requested, self._reader = requested, reader
        self.columns = 0  # of the output; known from the first pass on
        check_open(self.network, name)
        check_example(self.network, name, example)
        self.state = state or OwnState(self.network)
        self._calls = LayerCalls([], {}, self.size)

    @contextmanager
    def in_eval_mode(self) -> Iterator[None]:
        """Freeze the network once for all passes made while it is open; rules and passes keep all digits of float32."""
        with exclusive(), ExitStack() as stack:
            if not self._in_eval_mode:
                stack.enter_context(full_precision())
                stack.enter_context(eager(self.network))
                stack.enter_context(eval_mode(self.network))
                stack.callback(setattr, self, "_in_eval_mode", False)
                self._in_eval_mode = True
            yield

    @contextmanager
    def reduced(self) -> Iterator[None]:
        """Forward passes are made in bfloat16 while it is open; their scores are float32 again."""
        if self._reduced is None:
            with self.in_eval_mode():
                self._reduced = reduced_weights(self.network)
        outer, self._weights = self._weights, self._reduced
        try:
            yield
        finally:
            self._weights = outer

    @property
    def reader(self) -> OutputReader:
        """How scores are read from what the network returns; known from the first pass on."""
        assert self._reader is not None
        return self._reader

    def output(self, images: Tensor, count: int | None = None, anchor: Anchor | None = None) -> Tensor:
        """[N, columns]: what the network gives, of which `meaning` makes scores of classes.

        Args:
            count: how many images come out, where a layer is made to give more than went in.
            anchor: of the images as they are, where these are perturbed versions.
        """
        return self.anchored_output(images, count, anchor)[0]

    def anchored_output(
        self, images: Tensor, count: int | None = None, anchor: Anchor | None = None
    ) -> tuple[Tensor, Anchor | None]:
        """[N, columns], and what passes over perturbed versions of these images are read by."""
        count = count or len(images)
        if self._tail is not None:
            return self._logits_at(self._tail, images, count), None
        with self.in_eval_mode():
            returned = self._run(images)
            if self._reader is None:
                self._reader = choose_reader(returned, count, self.size, self._requested, self.network, self.name)
            scores, anchor = self.reader.read(returned, count, anchor)
        return check_shape(scores, count, self.columns).to(images.dtype), anchor

    def anchor(self, images: Tensor) -> Anchor | None:
        """What passes over perturbed versions of these images are read by, for a pass; None where nothing is."""
        if not self.reader.anchored:
            return None
        with grad_mode(), torch.no_grad():
            return self.anchored_output(images)[1]

    def _logits_at(self, source: LogitsSource, images: Tensor, count: int | None = None) -> Tensor:
        """[N, columns]: the logits, of before whatever the network does to them last."""
        count = count or len(images)
        with self.in_eval_mode(), source.watched(self.watching) as logits:
            self._run(images)
            return check_shape(as_scores(logits(), self.name, count), count, self.columns).to(images.dtype)

    def values_at(self, name: str, images: Tensor) -> Tensor:
        """[N, K, h, w]: what the layer called `name` gives for images; what comes after it isn't run."""
        seen: list[Tensor] = []

        def stop(_: str, values: Tensor) -> None:
            seen.append(values)
            raise _Seen

        with self.in_eval_mode(), self.watching([name], stop), suppress(_Seen):
            self._run(images)
        return seen[0]

    @property
    def notices(self) -> tuple[str, ...]:
        """What a user has to know of how the output is read, a sentence each."""
        return tuple(f"{self.name} returns {note}." for note in self.reader.notes)

    def _run(self, images: Tensor) -> object:
        buffered = self._buffer.copied(images, self._layout)
        self._calls.set_image_size((int(images.shape[2]), int(images.shape[3])))
        with self.state.working_copies(), running_user_code(self.name):
            return (
                self.network(buffered) if self._weights is None else run_reduced(self.network, self._weights, buffered)
            )

    def watching(self, names: Sequence[str], keep: Keep, *, as_maps: bool = True) -> AbstractContextManager[None]:
        """While it is open, call `keep(name, output)` as each of the layers called `names` runs.

        Feature maps are as_maps out as [N, K, h, w], unless `as_maps` is false; other results are given as they are.
        """
        return self._calls.watching(names, keep, as_maps=as_maps)

    def examine(self, example: Tensor) -> tuple[list[LayerCall], Tensor, LayerInputs, NotedCalls]:
        """Run the network once, in the fastest memory layout that it takes, and note what ran."""
        # channels last is a quarter faster for convolutions; some networks flatten with .view, which refuses it
        layouts = [torch.channels_last] if example.dtype is not torch.float64 else []
        for layout in [*layouts, torch.contiguous_format]:
            self._layout = layout
            try:
                with (
                    self.in_eval_mode(),
                    recorded_calls(self.network) as calls,
                    grad_mode(),
                    LayerInputs() as layer_inputs,
                    NotedCalls() as noted,
                ):
                    output = self.output(example.detach().clone().requires_grad_())
                break
            except (CnnVisError, torch.OutOfMemoryError, MemoryError) as error:
                if not isinstance(error, TargetFailed):  # which may flatten with .view, too
                    raise
                failure: Exception = error
            except Exception as error:
                failure = error
        else:
            if isinstance(failure, TargetFailed):
                raise failure
            with self.in_eval_mode(), self.state.working_copies():
                raise refusal(self.network, self.name, example, failure) from failure
        self.state.keep_changed_only()
        check_scores(output, self.reader.reads)
        return calls, output, layer_inputs, noted
