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
from cnnvis_report.store.atomic import beside
from cnnvis_report.store.fitted_file import SEAL, WHOSE, fitted_head
from cnnvis_report.store.names import fitted_name, place


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
            said = fitted_head(path)
            if said is None or said[WHOSE] != self._whose(key):
                return None
            found = load_file(path)
            made = tuple(found[str(place)] for place in range(len(found)))
        except (OSError, SafetensorError, KeyError, BadRequest):
            return None
        if said.get(SEAL) != _digest(made, self._whose(key)):
            return None
        return tuple(each.to(like.device) for each in made)

    def put(self, key: str, made: Fitted) -> None:
        """Keep the tensors; where the disk has no room for them the run goes on without."""
        made = tuple(each.detach().cpu().contiguous() for each in made)
        said = {WHOSE: self._whose(key), SEAL: _digest(made, self._whose(key))}
        path = place(self._folder, fitted_name(key))
        path.parent.mkdir(exist_ok=True)
        with suppress(OSError, SafetensorError), beside(path, lasting=False, parents=False) as temporary:
            save_file({str(place): tensor for place, tensor in enumerate(made)}, temporary, said)

    def _whose(self, key: str) -> str:
        return f"{self._run} {key}"


def _digest(made: Fitted, whose: str) -> str:
    """Of the tensors, their types and their shapes, and whose they are."""
    found = sha256(whose.encode())
    for each in made:
        found.update(f"\n{each.dtype} {list(each.shape)}\n".encode())
        found.update(each.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()
