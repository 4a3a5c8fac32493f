import fcntl
import gc
import os
import shutil
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import Result

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import RunRecord
from tests.exhaustive import UNNAMED, UNREPRESENTED, may_be_exhaustive, unnamed, unrepresented
from tests.figures import draw_coarsely, full_figures

# pytest compiles 700 files, and hundreds of processes the package, again each time where nothing is kept in __pycache__
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.setdefault("TORCH_HOME", "/nonexistent/torch-home")  # no test may find, or fetch, somebody's weights
# two processors are enough for all processes together, those that tests start among them
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
if WORKERS > 1:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
torch.set_num_threads(max(1, min(2 // WORKERS, torch.get_num_threads())))  # OMP_NUM_THREADS may ask for one

draw_coarsely()

pytest_plugins = ["tests.pages.browser"]

REAL = Path(os.environ.get("CNNVIS_REAL", Path(__file__).parents[2] / "shared" / "real"))

os.environ["CNNVIS_REPORT_CACHE"] = os.devnull  # every page is written: what a render meets has to be met


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Hardly anything of what is read goes before all is: a fifth of the time is looking for it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Of the exhaustive rows alone, most files have none, and reading all takes as long as many tests."""
    alone = config.option.markexpr == "exhaustive" and collection_path.match("test_*.py")
    return True if alone and not may_be_exhaustive(collection_path) else None


# begun first: a test of half a minute that comes last leaves the other workers without work
LONGEST = ("tests/test_", "tests/robustness/", "tests/engine/test_every_network.py")


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what wasn't asked for
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    config.stash[UNREPRESENTED] = unrepresented(items)
    config.stash[UNNAMED] = unnamed(items)
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
    for item in items:
        if item.get_closest_marker("gpu") and not torch.cuda.is_available():
            item.add_marker(pytest.mark.skip(reason="no CUDA device"))


@pytest.fixture(scope="session")
def real() -> Path:
    """A real network and real photographs, where there are any."""
    if not (REAL / "squeezenet1_1.safetensors").is_file():
        pytest.skip(f"no real network in {REAL.name}/ beside the project (set CNNVIS_REAL to a folder that has one)")
    return REAL


@pytest.fixture(scope="session", autouse=True)
def pytorch_is_known() -> None:
    """The look at PyTorch's private names runs a tiny network, which no test of passes means to count."""
    from cnnvis_report.engine.graph.nodes import check_pytorch

    check_pytorch()


@pytest.fixture(autouse=True)
def no_method_outlives_its_test(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_methods(monkeypatch)


PLANTED = ("tests.evidence.planted", "tests.pipeline.planted_methods")


def forget_methods(patch: pytest.MonkeyPatch) -> None:
    """Methods that a test announces are announced to the whole process, until the patch is undone."""
    from cnnvis_report.methods.registry import METHODS

    for module in PLANTED:  # which announce their methods whenever they are imported, and that is once else
        patch.delitem(sys.modules, module, raising=False)
    METHODS.entries()
    patch.setattr(METHODS, "_entries", dict(METHODS._entries))
    patch.setattr(METHODS, "_modules", dict(METHODS._modules))


HOSTILE = [
    "plain.png",
    "a \"quoted\" 'name' & <script>alert(1).png",
    "<img src=x onerror=alert(2)><!--.png",
    "кот и 猫 {{7*7}} {% raw %}.png",
    "x" * 120 + ".png",
    "#fragment?query=1&b=%20.png",
]


def once_for_all_workers(factory: pytest.TempPathFactory, name: str, write: Callable[[Path], None]) -> Path:
    """A folder that the first worker to need it writes, and a copy of it that is this worker's own."""
    own = factory.mktemp(f"own-{name}") / name
    if WORKERS == 1:
        write(own)
        return own
    shared = factory.getbasetemp().parent / name
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shared.with_suffix(".written").exists():
            shutil.rmtree(shared, ignore_errors=True)
            write(shared)
            shared.with_suffix(".written").touch()
    return Path(shutil.copytree(shared, own))


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of drawn shapes in folders called like the classes, with names that strangers might give."""
    from cnnvis_report.synthetic.shapes import CLASSES, draw

    top = tmp_path_factory.mktemp("drawn")
    for number, name in enumerate(HOSTILE):
        folder = top / CLASSES[number % len(CLASSES)]
        folder.mkdir(exist_ok=True)
        draw(number, 0, 40).picture.save(folder / name, "PNG")
    (top / "empty.jpg").write_bytes(b"")
    (top / "<b>bold cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing more")
    return top


def fill_disk(patch: pytest.MonkeyPatch, name: str) -> None:
    """What is written in the place of a file of this name meets a full disk; opening it succeeds."""
    import builtins
    import io

    real = io.open

    def opened(path: Path, mode: str = "r", *more: Any, **options: Any) -> Any:
        ours = isinstance(path, str | Path) and Path(path).name.startswith(f".{name}.") and set(mode) & set("wax")
        return real("/dev/full" if ours else path, mode, *more, **options)

    patch.setattr(io, "open", opened)
    patch.setattr(builtins, "open", opened)


def standard_methods() -> int:
    """How many methods "standard" has."""
    from cnnvis_report.methods.selection import select

    return len(select(["standard"]))


def command(*words: object, code: int = 0) -> Result:
    """A command, run in this process; its exit code is part of what is expected."""
    from click.testing import CliRunner

    from cnnvis_report.cli.main import cli

    result = CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


Change = Callable[[RunRecord, list[ImageRecord]], tuple[RunRecord, list[ImageRecord]]]


def rewritten(folder: Path, change: Change) -> None:
    """Write a run's manifest as if the run had given what `change` makes of its record and the list of its images."""
    from cnnvis_report.store.manifest import images_in, read_head, write_manifest

    run, _ = read_head(folder / "run.json")
    write_manifest(folder, *change(run, list(images_in(folder / "run.json", run))))


# those of "standard" that a test of the report names; what it has beside them are maps like those of Grad-CAM
METHODS_SHOWN = (
    *("cam", "eigen_cam", "grad_cam", "gradient", "saliency", "input_x_gradient", "integrated_gradients", "smoothgrad"),
    "hires_cam",  # which has the map of another, on whose tile it stands
    *("guided_backprop", "deconvnet", "guided_grad_cam", "lrp_composite", "occlusion", "random"),
)
SHOWING = [
    *("--device", "cpu", "--effort", "max", "-m", ",".join(METHODS_SHOWN)),
    *("--metrics", "quick", "--inspect", "standard"),  # as `-m standard` has them
    *("-O", "smoothgrad.n=3", "-O", "integrated_gradients.steps=4", "-O", "occlusion.patch=10"),
]


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory, drawn: Path, class_names: Path) -> Path:
    """A report of methods of every kind on drawn shapes with hostile names, by an untrained network."""

    def write(folder: Path) -> None:
        with full_figures():
            command("run", "tests.factories:tiny", drawn, "-o", folder, *SHOWING, "--class-names", class_names)

    return once_for_all_workers(tmp_path_factory, "report", write)


@pytest.fixture(scope="session")
def class_names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Names of the five classes, two of them a stranger's."""
    path = tmp_path_factory.mktemp("names") / "names.txt"
    path.write_text('circle\ncross\nring\n</script><script>alert(3)</script>\n<b>трёх</b>угольник & "so"\n', "utf-8")
    return path


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.fixture
def targets() -> torch.Tensor:
    return torch.tensor([1, 4, 0])


def pytest_collection_finish() -> None:
    """What has been imported stays: it needn't be looked through each time that garbage is collected."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)  # new objects: garbage is looked for less often than after each 700
