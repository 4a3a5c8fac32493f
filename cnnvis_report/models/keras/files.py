"""What a Keras model is kept in: an archive, an HDF5 file, a folder, or a description with weights beside it."""

import json
import shutil
import struct
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cnnvis_report.errors import BadRequest, told
from cnnvis_report.models.keras.hdf5 import SIGNATURE, SLACK, UNFOLDED, check_hdf5, rehearse

CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"
SECONDS, FAST = 1, 1 << 25  # that it takes at most to look at an HDF5 file, and bytes in one more
LARGEST_CONFIG = 1 << 26  # bytes
PROBE = 1 << 12


@dataclass(frozen=True)
class KerasFile:
    """A model as it is kept.

    config: its description, as it was parsed. weights: an HDF5 file that holds them, under a name by which Keras knows
    their form; None where there is none. called: what a report calls that file. version: of the Keras that wrote it;
    empty where it doesn't say. whole: whether all is in one file.
    """

    config: Any
    weights: Path | None = None
    called: str = "none"
    version: str = ""
    whole: bool = False


def is_keras(text: str) -> bool:
    """Whether a path is that of a Keras model, from the first bytes or the names in it."""
    path = Path(text)
    try:
        if path.is_dir():
            return (path / CONFIG).is_file() and (path / WEIGHTS).is_file()
        if not path.is_file():
            return False
        with path.open("rb") as file:
            start = file.read(PROBE)
        if start.startswith(b"PK"):
            with zipfile.ZipFile(path) as archive:
                names = set(archive.namelist())
            return CONFIG in names and (WEIGHTS in names or METADATA in names)
        return start.startswith(SIGNATURE) or (start.lstrip()[:1] == b"{" and b'"class_name"' in start)
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError, struct.error):
        return False


def read_file(path: Path, weights: Path | None, folder: Path) -> KerasFile:
    """Read a model's description, and look at what its weights lie in.

    Args:
        weights: another file of weights, which goes before the model's own. folder: an empty one, for what is in an
            archive.

    Raises:
        BadRequest: it is damaged, or not what it seems to be.
    """
    if path.is_dir():
        config = _parsed(_read_text(path / CONFIG), path / CONFIG)
        return _with_weights(config, weights or path / WEIGHTS, folder, _version(path))
    with path.open("rb") as file:
        start = file.read(8)
    if start[:2] == b"PK":
        return _archive(path, weights, folder)
    if start == SIGNATURE:
        return _hdf5(path, weights, folder)
    config = _parsed(_read_text(path), path)
    beside = weights or next((file for file in _weights_beside(path) if file.is_file()), None)
    return _with_weights(config, beside, folder) if beside else KerasFile(config)


def _archive(path: Path, weights: Path | None, folder: Path) -> KerasFile:
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if not {CONFIG, METADATA, WEIGHTS} & names:
                raise BadRequest(f"{path}: is a zip archive without anything of Keras, such as a file of PyTorch.")
            unfolded = sum(entry.file_size for entry in archive.infolist())
            if unfolded > UNFOLDED * size + SLACK:
                raise BadRequest(f"{path}: {size:,} bytes that unfold to {unfolded:,}; Keras compresses nothing.")
            if (
                max((archive.getinfo(name).file_size for name in {CONFIG, METADATA} & names), default=0)
                > LARGEST_CONFIG
            ):
                raise BadRequest(f"{path}: its {CONFIG} is far larger than that of any network.")
            config = _parsed(archive.read(CONFIG), path)
            version = _version_of(archive.read(METADATA)) if METADATA in names else ""
            if weights is None and WEIGHTS in names:
                with archive.open(WEIGHTS) as member, (folder / WEIGHTS).open("wb") as file:
                    shutil.copyfileobj(member, file, 1 << 20)  # compares the checksum, too
    except BadRequest:
        raise
    except Exception as error:  # whatever a damaged archive leads to
        raise BadRequest(
            f"{path}: is a damaged archive of Keras ({told(error)}). Copy or download it again."
        ) from error
    if weights is not None:
        return _with_weights(config, weights, folder, version)
    if WEIGHTS not in names:
        raise BadRequest(f"{path}: holds no {WEIGHTS}. Give the weights with --weights.")
    _look_into(folder / WEIGHTS, path)
    return KerasFile(config, folder / WEIGHTS, path.name, version, whole=True)


def _hdf5(path: Path, weights: Path | None, folder: Path) -> KerasFile:
    """A whole model of Keras 2 or in its form, or weights whose description lies beside them."""
    config, version, suffix = _look_into(path, path)
    if config is not None:
        parsed = _parsed(config, path)
        if weights is not None:
            return _with_weights(parsed, weights, folder, version)
        return KerasFile(parsed, _named(path, suffix, folder), path.name, version, whole=True)
    beside = [file for file in _descriptions_beside(path) if file.is_file()]
    if weights is not None or not beside:
        raise BadRequest(
            f"{path}: holds weights of Keras, if anything, and not how the network is built. Put its description "
            f"beside it as {_descriptions_beside(path)[0].name}: open(…, 'w').write(model.to_json())"
        )
    return KerasFile(
        _parsed(_read_text(beside[0]), beside[0]), _named(path, suffix, folder), path.name, version, whole=False
    )


def _with_weights(config: Any, weights: Path, folder: Path, version: str = "") -> KerasFile:
    """A description with a file of weights."""
    try:
        with weights.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise BadRequest(f"{weights}: can't be read ({told(error)}).") from error
    if start[:2] == b"PK":
        return replace(_archive(weights, None, folder), config=config, whole=False)
    if start != SIGNATURE:
        raise BadRequest(f"{weights}: holds no weights of Keras, which are an HDF5 file.")
    _, written_by, suffix = _look_into(weights, weights)
    return KerasFile(config, _named(weights, suffix, folder), weights.name, version or written_by)


def _look_into(file: Path, path: Path) -> tuple[Any, str, str]:
    """The description in an HDF5 file or None, the version that wrote it, and the suffix that Keras gives its form."""
    import h5py

    def looked() -> tuple[Any, str, str]:
        with h5py.File(file, "r") as content:
            check_hdf5(content, path, file.stat().st_size)
            nested = "layer_names" not in content.attrs and "model_weights" in content
            group = content["model_weights"] if nested else content
            suffix = ".h5" if "layer_names" in group.attrs else ".weights.h5"
            return content.attrs.get("model_config"), _as_text(content.attrs.get("keras_version")), suffix

    again = "Copy or download it again."
    if not rehearse(looked, SECONDS + file.stat().st_size // FAST):
        raise BadRequest(f"{path}: is a damaged HDF5 file (the library that reads it fails at it). {again}")
    try:
        return looked()
    except BadRequest:
        raise
    except Exception as error:  # h5py raises whatever its C library says
        raise BadRequest(f"{path}: is a damaged HDF5 file ({told(error)}). {again}") from error


def _named(weights: Path, suffix: str, folder: Path) -> Path:
    """A file of weights under a name by which Keras knows their form: it goes by the suffix alone."""
    if weights.name.endswith(suffix) and (suffix == ".weights.h5" or not weights.name.endswith(".weights.h5")):
        return weights
    link = folder / f"named{suffix}"
    link.symlink_to(weights.absolute())
    return link


def _weights_beside(path: Path) -> list[Path]:
    names = [f"{path.stem}.weights.h5", f"{path.stem}.h5", f"{path.stem}.hdf5", WEIGHTS]
    return [path.with_name(name) for name in names]


def _descriptions_beside(path: Path) -> list[Path]:
    stem = path.name.removesuffix(".h5").removesuffix(".hdf5").removesuffix(".weights")
    return [path.with_name(name) for name in (f"{stem}.json", CONFIG, "model.json")]


def _read_text(path: Path) -> bytes:
    if path.stat().st_size > LARGEST_CONFIG:
        raise BadRequest(f"{path}: is far larger than the description of any network.")
    return path.read_bytes()


def _parsed(content: Any, path: Path) -> Any:
    """The description in JSON, which some versions of Keras wrote as a text within a text."""
    try:
        config = json.loads(_as_text(content))
        return json.loads(config) if isinstance(config, str) else config
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{path}: its description is no JSON ({told(error)}).") from error


def _as_text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


def _version_of(content: bytes) -> str:
    metadata = json.loads(content)
    return str(metadata.get("keras_version", ""))[:40] if isinstance(metadata, dict) else ""


def _version(folder: Path) -> str:
    file = folder / METADATA
    return _version_of(_read_text(file)) if file.is_file() else ""
