"""What was fitted to the image set, in the folder of a run that goes on: a start that goes on doesn't fit it again."""

from contextlib import suppress
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from cnnvis_report.files import beside
from cnnvis_report.reference import Fitted
from cnnvis_report.store.names import fitted_name, place


class RunShelf:
    """A file of tensors for each key, in the run's folder.

    Args:
        folder: of a run whose fingerprint covers whatever the tensors depend on.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str, like: Tensor) -> Fitted | None:
        """The tensors in their order; None where there are none, or where the file is damaged."""
        try:
            found = load_file(place(self._folder, fitted_name(key)), device=str(like.device))
            return tuple(found[str(place)] for place in range(len(found)))
        except (OSError, SafetensorError, KeyError):
            return None

    def put(self, key: str, made: Fitted) -> None:
        """Keep the tensors; where the disk has no room for them the run goes on without."""
        tensors = {str(place): tensor for place, tensor in enumerate(made)}
        path = place(self._folder, fitted_name(key))
        path.parent.mkdir(exist_ok=True)
        with suppress(OSError, SafetensorError), beside(path, lasting=False, parents=False) as temporary:
            save_file(tensors, temporary)
