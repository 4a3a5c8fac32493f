"""One worker without a cluster: what it refuses, and that its shards are the bytes of a run in one process."""

import os
import shutil
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from cnnvis_report.distributed import engine as engines
from cnnvis_report.distributed import worker as workers
from cnnvis_report.distributed.cluster import Cluster
from cnnvis_report.distributed.engine import RayEngine
from cnnvis_report.distributed.job import Failure, Reason, ShardResult, WorkerJob
from cnnvis_report.distributed.worker import ShardWorker
from cnnvis_report.errors import WentAway
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.pipeline.explaining.map_making import MapMaking
from cnnvis_report.pipeline.explaining.reduced_maps import array_layout
from cnnvis_report.pipeline.identity.parts import identity_parts
from cnnvis_report.pipeline.identity.run import identify
from cnnvis_report.pipeline.planning.plan import plan_setups
from cnnvis_report.pipeline.setup import set_up
from cnnvis_report.pipeline.stats import RunStats
from cnnvis_report.progress import Progress
from cnnvis_report.records.identity import fingerprint
from cnnvis_report.store.array_files.shards import write_shard
from cnnvis_report.store.writer import RunWriter
from tests.extras.ray.planted import plant


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkerJob:
    """What a command sends of a run that it has begun."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(workers, "PATIENCE", 0.0)
    monkeypatch.delitem(sys.modules, "planted_network", raising=False)
    plant(tmp_path)
    config = RunConfig.of(
        "planted_network:build",
        images=("pictures",),
        methods=("grad_cam", "smoothgrad"),
        options={"smoothgrad": {"n": 4}},
        metrics="none",
        inspect="none",
        device="cpu",
        size=32,
        shard_size=3,
        batch_size=2,
        engine="ray",
    )
    setup = set_up(config)
    plan = plan_setups([setup], lambda *_: 0.0)[0]
    identity = identify(identity_parts(setup, plan), setup.network.checks.repeatability)
    names = {item.id: item.name for item in setup.images}
    folder = tmp_path / "report"
    RunWriter(folder, identity, names, resume=False, layout=array_layout(setup, plan.batch))
    making = MapMaking(setup, plan, folder, fingerprint(identity))
    engine = RayEngine(Cluster(None, "A cluster", 1, 2.0, 0.0), None, set_up)
    return engine.job(making, torch.get_num_threads())


def opened(job: WorkerJob) -> ShardWorker:
    worker = ShardWorker(job)
    assert worker.open() is None
    return worker


def test_a_shard_is_the_bytes_of_a_run_in_one_process(job: WorkerJob, tmp_path: Path) -> None:
    worker = opened(job)
    ids = tuple(item.id for item in worker.making.setup.images)[3:6]
    result = worker.explain(1, ids)
    assert isinstance(result, ShardResult) and result.stored is not None
    assert [record.id for record in result.records] == list(ids) == list(result.costs)
    assert {record.shard for record in result.records} == {1} and result.stats.computed == 3
    making = opened(job).making
    images = making.setup.images
    with making.setup.network.subject.in_eval_mode():
        batches = making.batches(images, making.batch_settings(), result.stats, Progress())
        results = [row for batch in batches for row in batch.results if row.image.id in ids]
    (tmp_path / "other").mkdir()
    records, stored = write_shard(tmp_path / "other", 1, results, deflated=making.layout.deflated)
    assert stored == result.stored and records == result.records


def refused(job: WorkerJob) -> str:
    failure = ShardWorker(job).open()
    assert isinstance(failure, Failure) and failure.reason is Reason.REQUEST and "\n" not in failure.message
    return failure.message


def test_another_version_is_refused(job: WorkerJob) -> None:
    message = refused(replace(job, versions={**job.versions, "numpy": "1.0"}))
    assert message.startswith("has numpy ") and "the command 1.0. Install the same on every node." in message


def test_a_folder_that_is_not_shared_is_refused(job: WorkerJob, tmp_path: Path) -> None:
    message = refused(replace(job, folder=tmp_path / "elsewhere"))
    assert message.endswith("isn't the folder of the report there. Give -o a folder that every node shares.")


def test_the_folder_of_another_run_is_refused(job: WorkerJob) -> None:
    assert "isn't the folder of the report there" in refused(replace(job, journal="another"))


def test_a_missing_folder_of_the_command_is_refused(job: WorkerJob, tmp_path: Path) -> None:
    message = refused(replace(job, directory=tmp_path / "home"))
    assert message.endswith("in which the command was started, isn't there. Share it with every node.")


def test_other_images_are_refused(job: WorkerJob, tmp_path: Path) -> None:
    (tmp_path / "pictures" / "00.png").unlink()
    assert "isn't as the command has it: the images' names, labels or order" in refused(job)


def test_another_network_is_refused(job: WorkerJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "planted_network")
    source = Path("planted_network.py")
    # of another size, as compiled modules are known by size and second
    source.write_text(source.read_text().replace("manual_seed(0)", "manual_seed(123)"))
    assert "isn't as the command has it: the network's weights" in refused(job)


def test_what_the_command_names_and_a_node_lacks_is_refused(job: WorkerJob) -> None:
    config = RunConfig.of("planted_network:build", images=("no-such-folder",), methods=("grad_cam",))
    assert "no-such-folder" in refused(replace(job, set_up=partial(set_up, config)))


@pytest.mark.skipif(os.name == "nt", reason="pipes with names")
@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "line without an end"])
def test_what_is_no_journal_is_refused_at_once(job: WorkerJob, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = job.folder / "journal.jsonl"
    moved = journal.rename(job.folder.parent / "journal.jsonl")
    if kind == "pipe":
        os.mkfifo(journal)
    elif kind == "link":
        journal.symlink_to(moved)
    elif kind == "folder":
        journal.mkdir()
    else:
        monkeypatch.setattr("cnnvis_report.store.manifest.LONGEST", 20)
        moved.rename(journal)
    assert "isn't the folder of the report there" in refused(job)


def test_a_folder_that_is_deleted_is_never_made_anew(job: WorkerJob) -> None:
    worker = opened(job)
    shutil.rmtree(job.folder)
    failure = worker.explain(0, tuple(item.id for item in worker.making.setup.images)[:3])
    assert isinstance(failure, Failure) and failure.reason is Reason.RUN
    assert failure.message == f"{job.folder / 'arrays'}: No such file or directory."
    assert not job.folder.exists()


def test_no_link_is_followed_to_write_a_shard(job: WorkerJob, tmp_path: Path) -> None:
    worker = opened(job)
    (job.folder / "arrays").rmdir()
    (tmp_path / "elsewhere").mkdir()
    (job.folder / "arrays").symlink_to(tmp_path / "elsewhere")
    failure = worker.explain(0, tuple(item.id for item in worker.making.setup.images)[:3])
    assert isinstance(failure, Failure) and "is a link" in failure.message
    assert not any((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("kind", ["gone", "cut", "a link", "a folder"])
def test_a_shard_that_is_not_there_is_not_taken_in(
    job: WorkerJob, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "PATIENCE", 0.0)
    worker = opened(job)
    items = worker.making.setup.images.items
    result = worker.explain(0, tuple(item.id for item in items)[:3])
    assert isinstance(result, ShardResult)
    layout, names = worker.making.layout, {item.id: item.name for item in items}
    writer = RunWriter(job.folder, job.identity, names, resume=True, layout=layout)
    path = job.folder / "arrays" / "shard-00000.npz"
    elsewhere = path.rename(tmp_path / "elsewhere.npz")
    if kind == "cut":
        path.write_bytes(elsewhere.read_bytes()[:-1])
    elif kind == "a link":
        path.symlink_to(elsewhere)
    elif kind == "a folder":
        path.mkdir()
    with pytest.raises(WentAway, match=r"shard-00000\.npz: went away"):
        engines._take_in(result, writer, RunStats(), Progress())
    assert not writer.done


def test_a_full_disk_is_one_line(job: WorkerJob, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object, **more: object) -> None:
        raise OSError(28, "No space left on device", "report/arrays/shard-00000.npz")

    worker = opened(job)
    monkeypatch.setattr(workers, "write_shard", full)
    failure = worker.explain(0, [next(iter(worker.making.setup.images)).id])
    assert failure == Failure("report/arrays/shard-00000.npz: No space left on device.", Reason.RUN)
