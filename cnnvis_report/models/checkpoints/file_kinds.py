"""What a file is that holds no weights as they are read here, by its content first and its name last."""

import ast
import re
import struct
import zipfile
from pathlib import Path

from cnnvis_report.errors import BadRequest, brief

STATE_DICT = "and give the file that makes with --weights, and the architecture as MODEL"
KERAS = "Give it as MODEL, or as --weights of a model of Keras."
FACTORY = "give a network of it from a factory of your own, path/to/file.py:function"

# the first bytes of a file, and what they say
STARTS = (
    (b"version https://git-lfs", "is a pointer of Git LFS, not the file itself. Fetch it: git lfs pull."),
    (b"\x89HDF\r\n\x1a\n", f"is an HDF5 file, as of Keras. {KERAS}"),
    (b"<!doctype html", "is a page of the web, not the file that was to be downloaded. Download it again."),
    (b"<html", "is a page of the web, not the file that was to be downloaded. Download it again."),
    (b"\x93NUMPY", "is a NumPy array without names. Save a state dict: torch.save(model.state_dict(), 'weights.pth')."),
    (b"GGUF", "is a GGUF file, whose weights are quantized; autograd can't follow them."),
    (b"\x1f\x8b", "is compressed with gzip. Unpack it first: gunzip."),
)
PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*", b"RIFF", b"BM")
SUFFIXES = {
    ".onnx": "has the name of an ONNX graph and not its content. Export, copy or download it again.",
    ".keras": "has the name of a Keras model and not its content. Save, copy or download it again.",
    ".h5": "has the name of a Keras model and not its content. Save, copy or download it again.",
    ".hdf5": "has the name of an HDF5 file and not its content. Save, copy or download it again.",
    ".tflite": f"is a TensorFlow Lite file, which isn't read; {FACTORY}.",
    ".engine": f"is a TensorRT engine, compiled for one GPU; {FACTORY}.",
    ".plan": f"is a TensorRT engine, compiled for one GPU; {FACTORY}.",
    ".mlmodel": f"is a Core ML file, which isn't read; {FACTORY}.",
    ".pb": f"is a graph of TensorFlow, which isn't read; {FACTORY}.",
    ".msgpack": f"is a file of Flax, which isn't read; {FACTORY}.",
    ".json": "is a JSON file without weights. Give the .safetensors, .pth or .pt file beside it.",
    ".yaml": "is a file of settings without weights. Give the .safetensors, .pth or .pt file beside it.",
    ".npz": "holds NumPy arrays. Save them as a state dict: torch.save({name: torch.from_numpy(a), …}, 'weights.pth').",
}


def check_kind(path: Path, *, part: bool = False) -> None:
    """Refuse a file that is of a kind known not to be read.

    Args:
        part: whether it may be one of several files that make a checkpoint.
    """
    what = _folder(path) if path.is_dir() else _archive(path) if _is_zip(path) else _plain(path)
    if what and not (part and what == _shard(path)):
        raise BadRequest(f"{path}: {what}")


def _folder(path: Path) -> str:
    names = {file.name for file in path.iterdir()}
    if "saved_model.pb" in names:
        return (
            "is a SavedModel of TensorFlow, which isn't read. Save it as .keras where TensorFlow is: "
            f"tf.keras.models.load_model({path.name!r}).save('model.keras')"
        )
    if "config.json" in names:
        return (
            "is a folder as Hugging Face's transformers and timm write it, and no file of weights. Give it as MODEL, "
            "or its .safetensors file with --weights."
        )
    if ".metadata" in names or any(name.endswith("_optim_states.pt") for name in names):
        return "is a checkpoint in parts, of training on several devices. Join it into one state dict first."
    files = sorted(name for name in names if name.endswith((".pth", ".pt", ".safetensors", ".ckpt", ".bin")))
    if files:
        return f"is a folder without a config.json; a file is needed; it holds {', '.join(files[:4])}."
    return "is a folder, and no model is in it. A command names the model first and the images after it."


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _archive(path: Path) -> str:
    """Of a zip archive, by the names in it; empty for a checkpoint of PyTorch."""
    try:
        if not zipfile.is_zipfile(path):
            return "breaks off: the end of the file is missing. Copy or download it again."
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        return f"is a damaged archive ({brief(error)}). Copy or download it again."
    if any(name.endswith("constants.pkl") for name in names) and any("/code/" in name for name in names):
        return (
            "is TorchScript, a whole network: give it as MODEL, without --weights. Its weights alone can be had: "
            f"torch.save(torch.jit.load({path.name!r}).state_dict(), 'weights.pth'), {STATE_DICT}."
        )
    if any(name.endswith(("archive_format", "serialized_exported_program.json")) for name in names):
        return (
            "is a program of torch.export, a whole network: give it as MODEL, without --weights. Its weights alone: "
            f"torch.save(torch.export.load({path.name!r}).state_dict, 'weights.pth'), {STATE_DICT}."
        )
    if "config.json" in names and any(name.startswith("model.weights") for name in names):
        return f"is a model of Keras. {KERAS}"
    if any(name.endswith(".npy") for name in names):
        return SUFFIXES[".npz"]
    if not any(name.endswith("data.pkl") for name in names):
        return f"is a zip archive ({', '.join(names[:3])}, …) and no checkpoint. Unpack it first."
    return ""


def _plain(path: Path) -> str:
    """Of any other file; empty for what may be a checkpoint."""
    with path.open("rb") as file:
        start = file.read(64)
    if not start:
        return "isn't a checkpoint: it is empty."
    if start[4:8] == b"TFL3":
        return SUFFIXES[".tflite"]
    for bytes_, what in STARTS:
        if start.lower().startswith(bytes_.lower()):
            return what
    if path.name.endswith(".index.json"):
        return "is the index of a checkpoint in parts. Join them into one state dict first."
    if path.suffix.lower() == ".safetensors" or start[8:9] == b"{":
        return _shard(path)
    if path.suffix.lower() == ".py":
        has = names_in(path)
        return f"is a Python file; a network in it is called {path}:NAME{f', of {has}' if has else ''}."
    if start.startswith(PICTURES):
        return "isn't a checkpoint: it is a picture. Give it as one of IMAGES."
    what = SUFFIXES.get(path.suffix.lower(), "") or _shard(path)
    text = "isn't a checkpoint: it is a text. Give --weights a .pth, .pt or .safetensors file."
    return what or (text if _is_text(start) else "")


def _is_text(start: bytes) -> bool:
    """Whether a file's first bytes are lines to be read; a pickle of the oldest protocol has a mark in its first."""
    try:
        first, *_ = start.decode("utf-8", "ignore").splitlines()
    except ValueError:
        return False
    return len(first) > 1 and first.isprintable() and not re.match(r"[(\[\]}c.ILFSVN]", first)


def _shard(path: Path) -> str:
    part = re.search(r"(\d+)-of-0*(\d+)", path.name)
    if part is None or int(part[2]) < 2:
        return ""
    return f"is part {int(part[1])} of {part[2]} of a checkpoint. Join them into one state dict first."


def names_in(path: Path) -> str:
    """What a Python file offers at its top, from its text alone; nothing of it is run."""
    try:
        body = ast.parse(path.read_text(encoding="utf-8")).body
    except (OSError, ValueError, SyntaxError):
        return ""
    names = [node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    names += [
        target.id
        for node in body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    return ", ".join([name for name in names if not name.startswith("_")][:8])
