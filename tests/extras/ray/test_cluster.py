"""Runs on a cluster of several processes: the same bytes as without it, whatever becomes of its workers."""

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest
import torch

from tests.extras.needs import needs

needs("ray")

from ray.cluster_utils import Cluster  # noqa: E402

from cnnvis_report.distributed import engine  # noqa: E402
from cnnvis_report.store import StoredRun, load_run  # noqa: E402
from tests.conftest import command  # noqa: E402
from tests.extras.ray.planted import IMAGES, plant  # noqa: E402

RUN = (
    *("run", "planted_network:build", "pictures", "-m", "grad_cam,smoothgrad", "-O", "smoothgrad.n=4"),
    *("--metrics", "none", "--inspect", "quick", "--device", "cpu", "--shard-size", "2"),
    *("--batch-size", "2", "--size", "32"),
)
SMALL = {"object_store_memory": 80 << 20}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    # two nodes, each a few processes of this machine
    os.environ["OMP_NUM_THREADS"] = str(torch.get_num_threads())
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False, **SMALL})
    cluster.add_node(num_cpus=1, **SMALL)
    yield cluster
    cluster.shutdown()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", str(torch.get_num_threads()))
    monkeypatch.delitem(sys.modules, "planted_network", raising=False)
    plant(tmp_path)
    return tmp_path


def on_cluster(cluster: Any, *words: str, code: int = 0) -> str:
    """A run on the cluster; what it says."""
    result = command(*RUN, "-o", "report", "--engine", "ray", "--address", cluster.address, *words, code=code)
    return result.stderr


def arrays(run: StoredRun) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((run.folder / "arrays").iterdir())}


def inside(run: StoredRun) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((run.folder / "inspection").iterdir())}


def check_same(folder: Path) -> None:
    """The run is the one that this process makes."""
    command(*RUN, "-o", "local")
    here, there = load_run(folder / "local"), load_run(folder / "report")
    assert arrays(here) == arrays(there) and len(arrays(there)) == IMAGES / 2
    assert list(here.images()) == list(there.images()) and there.record.images == IMAGES
    assert here.record.fingerprint == there.record.fingerprint
    assert here.record.inspection == there.record.inspection
    assert inside(here) == inside(there)


def test_the_bytes_are_those_of_this_process_though_a_worker_is_killed_in_the_middle(
    cluster: Any, folder: Path
) -> None:
    (folder / "ends").touch()
    said = on_cluster(cluster, "--workers", "2")
    assert (folder / "ends-taken").exists(), "a worker was killed"
    assert said.count("Warning: A worker on ") == 1 and "Another one explains the images from " in said
    assert re.search(r"2 nodes: 2 workers, \d+ threads? each; the time above is that of one", said)
    check_same(folder)


def test_so_are_those_that_come_by_way_of_an_address_from_workers_without_the_folder(
    cluster: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "ends").touch()
    plain = engine.RayEngine.job

    def job(self: Any, *given: Any) -> Any:
        return replace(plain(self, *given), folder=folder / "elsewhere" / "report")

    monkeypatch.setattr(engine.RayEngine, "job", job)
    said = on_cluster(cluster, "--workers", "2", "--exchange", (folder / "between").as_uri())
    assert f"; maps come by file://{folder}/between" in said and (folder / "ends-taken").exists()
    assert list((folder / "between").iterdir()) == [] and not (folder / "elsewhere").exists()
    check_same(folder)


def test_a_node_is_lost(cluster: Any, folder: Path) -> None:
    (folder / "slow").touch()
    node = cluster.add_node(num_cpus=4, **SMALL)

    def lose() -> None:
        deadline = monotonic() + 60
        while not any((folder / "report" / "arrays").glob("shard-*")) and monotonic() < deadline:
            sleep(0.05)
        cluster.remove_node(node, allow_graceful=False)

    thread = Thread(target=lose)
    thread.start()
    on_cluster(cluster, "--workers", "3")
    thread.join()
    check_same(folder)


def test_a_worker_out_of_memory_leaves_its_images_to_the_others(cluster: Any, folder: Path) -> None:
    (folder / "full").touch()
    said = on_cluster(cluster, "--workers", "2")
    assert (folder / "full-taken").exists()
    assert "Out of memory with one image at a time" in said and "Its images go to the other workers." in said
    check_same(folder)


@pytest.mark.parametrize(
    ("name", "there", "words"),
    [
        (
            "versions",
            lambda: {"torch": "1.0"},
            r"has torch \S+, and the command 1\.0\. Install the same",
        ),
        ("journal_head", lambda folder: "another", "isn't the folder of the report there. Give -o a folder that every"),
    ],
    ids=["other versions", "a folder that isn't shared"],
)
def test_a_worker_of_no_use_is_one_line(
    cluster: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, there: Any, words: str
) -> None:
    monkeypatch.setattr(engine, name, there)
    said = on_cluster(cluster, "--workers", "1", code=2)
    (line,) = [line for line in said.splitlines() if line.startswith("Error: ")]
    assert "Error: The worker on 1" in line
    assert re.search(words, line), line
