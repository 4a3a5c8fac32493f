"""Files of Keras that are damaged, hostile or of another kind are refused in a line, and nothing of them is run."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.extras.needs import needs

needs("keras", "h5py")

import h5py  # noqa: E402
import torch  # noqa: E402

from cnnvis_report.errors import BadRequest  # noqa: E402
from cnnvis_report.models.load import load_model  # noqa: E402
from tests.extras.keras.models import chain, keras, layers, loaded_difference  # noqa: E402
from tests.robustness.mutated_models import failures  # noqa: E402

Config = dict[str, Any]


def small() -> Any:
    return chain([layers.Conv2D(4, 3, activation="relu", name="conv"), layers.Flatten(), layers.Dense(3)], (8, 8, 3))


def rewritten(path: Path, change: Callable[[Config], object], extra: dict[str, bytes] | None = None) -> Path:
    """A saved model whose description was changed by hand."""
    small().save(path)
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(contents["config.json"])
    change(config)
    contents["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
        for name, content in (extra or {}).items():
            archive.writestr(name, content, zipfile.ZIP_DEFLATED)
    return path


def conv(config: Config) -> Config:
    entry: Config = config["config"]["layers"][1]
    return entry


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(BadRequest) as caught:
        load_model(str(path), **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


POPEN = {"module": "subprocess", "class_name": "Popen", "config": {"args": "touch ran"}, "registered_name": None}
SYSTEM = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
CHANGES: dict[str, tuple[Callable[[Config], object], str]] = {
    "a class of another module": (lambda c: conv(c).update(module="os", class_name="system"), "run as a program"),
    "a registered class": (lambda c: conv(c).update(registered_name="mine>Conv2D"), "run as a program"),
    "a subclass of Model": (lambda c: c.update(module="mine", class_name="Net"), "run as a program"),
    "a class as an option": (lambda c: conv(c)["config"].update(filters=POPEN), "'Popen' as 'filters'"),
    "a function as an option": (lambda c: conv(c)["config"].update(padding=SYSTEM), "'function' as 'padding'"),
    "a function as the activation": (lambda c: conv(c)["config"].update(activation=SYSTEM), "isn't|can't"),
    "somebody's activation": (
        lambda c: conv(c)["config"].update(activation={**SYSTEM, "registered_name": "mine>act"}),
        "its activation 'mine>act' would run as a program",
    ),
    "a class in a call": (lambda c: conv(c)["config"].update(strides=[POPEN, 1]), "'Popen' as 'strides'"),
    "an unknown layer": (lambda c: conv(c).update(class_name="ConvLSTM2D"), "layer 'conv' is a 'ConvLSTM2D'"),
    "an unknown option": (lambda c: conv(c)["config"].update(unheard=1), "unheard"),
    "filters beyond memory": (lambda c: conv(c)["config"].update(filters=1 << 40), "numbers|can't"),
    "filters that the file hasn't": (lambda c: conv(c)["config"].update(filters=1 << 17), "can't"),
    "an image beyond memory": (
        lambda c: c["config"]["layers"][0]["config"].update(batch_shape=[None, 1 << 20, 1 << 20, 3]),
        "numbers|can't",
    ),
    "no layers": (lambda c: c["config"].update(layers=[]), "can't|no"),
    "layers that are no list": (lambda c: c["config"].update(layers={}), "without layers"),
    "a layer that is a text": (lambda c: c["config"]["layers"].append("x"), "without a class"),
    "many layers": (lambda c: c["config"].update(layers=[conv(c)] * 10_001), "10,001 layers"),
    "a quantized layer": (
        lambda c: conv(c)["config"].update(dtype={"class_name": "QuantizedDTypePolicy", "config": {}}),
        "quantized",
    ),
    "no pictures": (
        lambda c: c["config"].update(
            layers=[
                {"class_name": "InputLayer", "config": {"batch_shape": [None, 9]}},
                {"class_name": "Dense", "config": {"name": "d", "units": 2}},
            ]
        ),
        "no pictures|can't",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_description_by_hand_is_refused_before_it_is_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    change, says = CHANGES[name]
    message = refusal(rewritten(tmp_path / "net.keras", change))
    assert any(part in message for part in says.split("|")), message
    assert not (tmp_path / "ran").exists()


def test_what_training_needed_is_never_made(tmp_path: Path) -> None:
    def change(config: Config) -> None:
        conv(config)["config"].update(kernel_initializer=POPEN, kernel_regularizer=POPEN, activity_regularizer=POPEN)
        config["compile_config"] = {"optimizer": POPEN, "loss": SYSTEM}

    _, difference = loaded_difference(rewritten(tmp_path / "net.keras", change))
    assert difference <= 1e-5


def test_a_lambda_runs_where_its_file_is_trusted_alone(tmp_path: Path) -> None:
    model = chain([layers.Lambda(lambda x: x * 2, name="twice"), layers.Conv2D(2, 3), layers.Flatten()], (8, 8, 3))
    model.save(tmp_path / "net.keras")
    assert "its Lambda layer 'twice' would run as a program. Give --trust" in refusal(tmp_path / "net.keras")
    _, difference = loaded_difference(tmp_path / "net.keras", trusted=True)
    assert difference <= 1e-5


def test_an_archive_that_unfolds_is_refused(tmp_path: Path) -> None:
    bomb = rewritten(tmp_path / "net.keras", lambda _: None, {"assets/zeros": bytes(1 << 27)})
    assert "unfold" in refusal(bomb)


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped-from-an-archive", "assets/../../escaped"])
def test_other_members_of_an_archive_go_nowhere(name: str, tmp_path: Path) -> None:
    path = rewritten(tmp_path / "net.keras", lambda _: None, {name: b"x"})
    assert loaded_difference(path)[1] <= 1e-5
    assert not (tmp_path / "escaped").exists() and not (tmp_path.parent / "escaped").exists()


def edit(path: Path, change: Callable[[Any], object]) -> Path:
    small().save(path)
    with h5py.File(path, "r+") as file:
        change(file["model_weights/conv/conv" if "conv" in file["model_weights/conv"] else "model_weights/conv"])
    return path


def _other(group: Any) -> str:
    name = next(iter(group))
    del group[name]
    return str(name)


PARTS: dict[str, tuple[Callable[[Any], object], str]] = {
    "a link to another file": (
        lambda group: group.__setitem__(_other(group), h5py.ExternalLink("/etc/passwd", "/x")),
        "is a link",
    ),
    "a link within": (lambda group: group.__setitem__(_other(group), h5py.SoftLink("/model_weights")), "is a link"),
    "numbers in another file": (
        lambda group: group.create_dataset(_other(group), (4,), "f4", external=[("/etc/passwd", 0, 16)]),
        "lies in another file",
    ),
    "numbers that aren't there": (
        lambda group: group.create_dataset(_other(group), (1 << 20, 1 << 10), "f4"),
        "claim to hold",
    ),
    "objects": (
        lambda group: group.create_dataset(_other(group), (4,), h5py.special_dtype(ref=h5py.Reference)),
        "can't|holds no numbers",
    ),
}


@pytest.mark.parametrize("name", PARTS)
def test_parts_of_an_hdf5_file_that_lie_elsewhere_are_refused(name: str, tmp_path: Path) -> None:
    change, says = PARTS[name]
    message = refusal(edit(tmp_path / "net.h5", change))
    assert any(part in message for part in says.split("|")), message


def saved(path: Path) -> bytes:
    small().save(path)
    return path.read_bytes()


FILES: dict[str, tuple[str, Callable[[Path], bytes], str]] = {
    "truncated archive": ("net.keras", lambda path: saved(path)[:3000], "breaks off"),
    "truncated HDF5": ("net.h5", lambda path: saved(path)[:3000], "damaged HDF5"),
    "empty": ("net.keras", lambda _: b"", "empty"),
    "a picture": ("net.h5", lambda _: b"\x89PNG\r\n\x1a\n", "picture"),
    "not its content": ("net.keras", lambda _: b"\x01\x02\x03\x04" * 99, "has the name of a Keras model"),
    "no JSON": ("net.json", lambda _: b'{"class_name": "Sequential", ', "no JSON"),
    "JSON without weights": ("net.json", lambda _: small().to_json().encode(), "--weights"),
    "JSON within JSON, deep": ("net.json", lambda _: b'{"class_name": ' + b"[" * 99_999, "no JSON"),
    "HDF5 of something else": ("net.h5", lambda path: _hdf5(path), "not how the network is built"),
    "an archive without weights": ("net.keras", lambda path: _without_weights(path), "no model.weights.h5"),
}


def _hdf5(path: Path) -> bytes:
    with h5py.File(path, "w") as file:
        file["data"] = [1.0, 2.0]
    return path.read_bytes()


def _without_weights(path: Path) -> bytes:
    saved(path)
    content = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(content, "w") as other:
        for name in ("config.json", "metadata.json"):
            other.writestr(name, archive.read(name))
    return content.getvalue()


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_models_say_what_they_are(name: str, tmp_path: Path) -> None:
    file, content, says = FILES[name]
    path = tmp_path / file
    path.write_bytes(content(path))
    assert says in refusal(path)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    small().save(tmp_path / "net.keras")
    chain([layers.Conv2D(9, 3), layers.Flatten()], (8, 8, 3)).save_weights(tmp_path / "other.weights.h5")
    assert "Keras can't read its weights" in refusal(tmp_path / "net.keras", weights=tmp_path / "other.weights.h5")


@pytest.mark.parametrize("inputs", [2, 1], ids=["two inputs", "two outputs"])
def test_several_inputs_or_outputs_are_counted(inputs: int, tmp_path: Path) -> None:
    images = [keras.Input((8, 8, 3)) for _ in range(inputs)]
    x = layers.Conv2D(2, 3)(layers.Add()(images) if inputs > 1 else images[0])
    keras.Model(images, x if inputs > 1 else [x, layers.Flatten()(x)]).save(tmp_path / "net.keras")
    message = refusal(tmp_path / "net.keras")
    assert f"has 2 {'inputs' if inputs > 1 else 'outputs'}" in message or "reads 2" in message, message


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import os; os.environ['KERAS_BACKEND'] = 'jax'", "set KERAS_BACKEND=torch"),
        (
            "import sys, types; k = sys.modules['keras'] = types.ModuleType('keras'); Any = types.SimpleNamespace; "
            "k.__spec__ = Any(); k.backend = Any(backend=lambda: 'tensorflow')",
            "Keras is imported already, with tensorflow under it",
        ),
    ],
    ids=["set", "imported"],
)
def test_another_library_under_keras_is_a_line(code: str, says: str, tmp_path: Path) -> None:
    small().save(tmp_path / "net.keras")
    program = f"{code}\nfrom cnnvis_report.models.load import load_model\nload_model({str(tmp_path / 'net.keras')!r})"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "BadRequest" in ran.stderr and says in ran.stderr


def test_keras_is_imported_when_it_is_needed_alone() -> None:
    program = "import sys, cnnvis_report.models.load as l; l.loaders(); assert not {'keras', 'h5py'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


@pytest.mark.parametrize("form", ["keras", "h5"])
def test_damaged_files_are_loaded_or_refused(form: str, tmp_path: Path) -> None:
    small().save(tmp_path / f"net.{form}")
    assert not failures(tmp_path / f"net.{form}", count=28)


def test_weights_of_pytorch_are_not_called_damaged(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(2)}, tmp_path / "lin.pth")
    (tmp_path / "net.json").write_text(small().to_json(), encoding="utf-8")
    message = refusal(tmp_path / "net.json", weights=tmp_path / "lin.pth")
    assert message.endswith("lin.pth: is a zip archive without anything of Keras, such as a file of PyTorch.")
