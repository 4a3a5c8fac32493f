"""What was fitted to the image set, in the folder of a run that goes on: a start that goes on doesn't fit it again."""

from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from cnnvis_report.engine.reference import Fitted
from cnnvis_report.errors import BadRequest
from cnnvis_report.store.files.atomic import beside
from cnnvis_report.store.files.names import fitted_name, place
from cnnvis_report.store.fitted_file import SEAL, WHOSE, fitted_head


class FolderFitCache:
    """A file of tensors for each key, in the run's folder.

    Args:
        folder: where.
        run: the run's fingerprint, which covers whatever the tensors depend on: another run's are not taken.
    """

    def __init__(self, folder: Path, run: str) -> None:
        self._folder = folder
        self._run = run

    def find(self, key: str, like: Tensor) -> Fitted | None:
        """The tensors in their order; None where there are none, or others than this run has put there."""
        try:
            path = place(self._folder, fitted_name(key))
            head = fitted_head(path)
            if head is None or head[WHOSE] != self._owner(key):
                return None
            stored = load_file(path)
            tensors = tuple(stored[str(number)] for number in range(len(stored)))
        except (OSError, SafetensorError, KeyError, BadRequest):
            return None
        if head.get(SEAL) != _digest(tensors, self._owner(key)):
            return None
        return tuple(tensor.to(like.device) for tensor in tensors)

    def put(self, key: str, fitted: Fitted) -> None:
        """Keep the tensors; where the disk has no room for them the run goes on without."""
        tensors = tuple(tensor.detach().cpu().contiguous() for tensor in fitted)
        head = {WHOSE: self._owner(key), SEAL: _digest(tensors, self._owner(key))}
        path = place(self._folder, fitted_name(key))
        path.parent.mkdir(exist_ok=True)
        with suppress(OSError, SafetensorError), beside(path, lasting=False, parents=False) as temporary:
            save_file({str(number): tensor for number, tensor in enumerate(tensors)}, temporary, head)

    def _owner(self, key: str) -> str:
        return f"{self._run} {key}"


def _digest(tensors: Fitted, owner: str) -> str:
    """A digest of the tensors, their types and their shapes, and of what they belong to."""
    digest = sha256(owner.encode())
    for tensor in tensors:
        digest.update(f"\n{tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
