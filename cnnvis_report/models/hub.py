"""Files of the Hugging Face hub: from its cache on this machine, or fetched where it can be reached."""

import urllib.error
import urllib.request
from pathlib import Path

from cnnvis_report.errors import BadRequest, brief

PATIENCE = 10  # seconds until a hub that doesn't answer is out of reach


def fetch(model: str, repository: str, names: tuple[str, ...], revision: str | None = None, way: str = "") -> Path:
    """The first of several files of a repository that there is.

    Args:
        model: what a user has typed. way: what to do with the file where the hub can't be reached, a sentence.

    Raises:
        BadRequest: none is on this machine, and the hub has none or can't be reached.
    """
    from huggingface_hub import try_to_load_from_cache

    for name in names:
        path = try_to_load_from_cache(repository, name, revision=revision)
        if isinstance(path, str):
            return Path(path)
    _check_reachable(model, repository, revision, names[0], way)
    return _downloaded(model, repository, names, revision)


def _check_reachable(model: str, repository: str, revision: str | None, name: str, way: str) -> None:
    """Ask the hub once: its own client asks six times for each file, for half a minute."""
    from huggingface_hub import constants

    address = f"{constants.ENDPOINT}/{repository}/resolve/{revision or 'main'}/{name}"
    try:
        if constants.HF_HUB_OFFLINE:
            raise OSError("HF_HUB_OFFLINE is set")
        urllib.request.urlopen(urllib.request.Request(constants.ENDPOINT, method="HEAD"), timeout=PATIENCE).close()
    except urllib.error.HTTPError:
        return  # it answers
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise BadRequest(
            f"{model}: its files aren't on this machine, and the hub can't be reached "
            f"({getattr(reason, 'strerror', None) or brief(error)}). Fetch {address} where there is a network{way}."
        ) from error


def _downloaded(model: str, repository: str, names: tuple[str, ...], revision: str | None) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils import EntryNotFoundError

    for name in names:
        try:
            return Path(hf_hub_download(repository, name, revision=revision))
        except EntryNotFoundError:
            continue
        except Exception as error:  # its client raises what its own client of HTTP raises
            raise BadRequest(f"{model}: {repository} can't be fetched from the hub ({brief(error)}).") from error
    raise BadRequest(f"{model}: {repository} has none of {', '.join(names)} on the hub.")


def split_revision(repository: str) -> tuple[str, str | None]:
    """ORG/NAME@REVISION as the two."""
    name, _, revision = repository.partition("@")
    return name, revision or None
