"""Shards by way of a folder or an address, where the run's folder isn't shared."""

from dataclasses import replace
from pathlib import Path

import pytest

from cnnvis_report.distributed.exchange import Exchange
from cnnvis_report.distributed.job import Failure, Reason, ShardResult, WorkerJob
from cnnvis_report.distributed.worker import ShardWorker
from cnnvis_report.errors import BadRequest, RunFailed
from cnnvis_report.records.run import StoredFile
from cnnvis_report.store.files.digests import digest_in
from cnnvis_report.store.files.names import shard_name
from tests.distributed.test_worker import job

__all__ = ["job"]


def stored(path: Path) -> StoredFile:
    with path.open("rb") as file:
        return digest_in(file)


@pytest.fixture(params=["a folder", "an address"])
def exchange(request: pytest.FixtureRequest, tmp_path: Path) -> Exchange:
    folder = tmp_path / "between"
    return Exchange.of(
        str(folder) if request.param == "a folder" else folder.as_uri(), tmp_path / "report", "first line"
    )


def test_a_file_arrives_as_it_was_sent_and_nothing_stays(exchange: Exchange, tmp_path: Path) -> None:
    exchange.announce()
    (tmp_path / "there").mkdir()
    (tmp_path / "here").mkdir()
    file = tmp_path / "there" / "shard-00000.npz"
    file.write_bytes(bytes(range(256)) * 40)
    exchange.send(file)
    exchange.fetch(tmp_path / "here" / file.name, stored(file))
    assert (tmp_path / "here" / file.name).read_bytes() == file.read_bytes()
    (run,) = (tmp_path / "between").iterdir()
    assert [path.name for path in run.iterdir()] == ["journal"]
    exchange.clear()
    assert list((tmp_path / "between").iterdir()) == []


def test_what_is_not_as_it_was_sent_is_not_taken(exchange: Exchange, tmp_path: Path) -> None:
    file = tmp_path / "shard-00000.npz"
    file.write_bytes(b"what the worker has written")
    exchange.announce()
    exchange.send(file)
    known = stored(file)
    file.write_bytes(b"what a stranger has written")
    exchange.send(file)
    target = tmp_path / "here" / file.name
    with pytest.raises(RunFailed, match=r"shard-00000\.npz: isn't what the run has written there.* makes it again\."):
        exchange.fetch(target, known)
    assert list(target.parent.iterdir()) == []
    with pytest.raises(RunFailed, match=r"between: there is no such place, or no shard-00001\.npz of this run in it\."):
        exchange.fetch(tmp_path / "here" / "shard-00001.npz", known)


def test_only_the_place_that_was_announced_is_the_same(exchange: Exchange) -> None:
    assert not exchange.is_announced() and not Path(exchange.address.removeprefix("file://")).exists()
    exchange.announce()
    assert exchange.is_announced()
    assert not replace(exchange, journal="another run").is_announced()


def test_two_folders_of_the_same_run_do_not_meet_and_what_was_left_goes(exchange: Exchange, tmp_path: Path) -> None:
    other = Exchange.of(exchange.address, tmp_path / "other", exchange.journal)
    file = tmp_path / "shard-00000.npz"
    file.write_bytes(b"a shard")
    for place in (exchange, other):
        place.announce()
        place.send(file)
    other.clear()
    exchange.fetch(tmp_path / "here" / file.name, stored(file))
    exchange.send(file)
    exchange.announce()
    with pytest.raises(RunFailed, match="there is no such place, or no shard-00000"):
        exchange.fetch(tmp_path / "here" / file.name, stored(file))


def test_nothing_is_written_through_a_link_in_its_place(exchange: Exchange, tmp_path: Path) -> None:
    (tmp_path / "between").mkdir()
    (tmp_path / "precious").mkdir()
    (tmp_path / "between" / exchange.name).symlink_to(tmp_path / "precious")
    exchange.announce()
    assert list((tmp_path / "precious").iterdir()) == [] and exchange.is_announced()


def test_no_more_is_fetched_than_was_sent(exchange: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnvis_report.distributed.exchange.AT_A_TIME", 3)
    exchange.announce()
    file = tmp_path / "shard-00000.npz"
    file.write_bytes(b"a shard")
    known = stored(file)
    file.write_bytes(b"a shard, and as much as a disk holds")
    exchange.send(file)
    exchange.fetch(tmp_path / "here" / file.name, known)
    assert (tmp_path / "here" / file.name).read_bytes() == b"a shard"


@pytest.mark.parametrize("address", ["https://host/x", "memory://x", "hf://datasets/x"])
def test_where_workers_cannot_write_is_refused(address: str) -> None:
    with pytest.raises(BadRequest, match=rf"--exchange {address}: workers can't write to \w+://\. Give a folder"):
        Exchange.of(address, Path("report"), "")


def test_a_place_that_cannot_be_written_to_is_refused_without_its_key(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BadRequest, match=r"--exchange .*file/below: Not a directory\."):
        Exchange.of(str(tmp_path / "file" / "below"), tmp_path, "").announce()
    assert Exchange.of("s3://key:secret@bucket/x?token=1", tmp_path, "").shown == "s3://bucket/x"


def test_a_worker_without_the_folder_gives_the_bytes_of_one_with_it(job: WorkerJob, tmp_path: Path) -> None:
    exchange = Exchange.of(str(tmp_path / "between"), job.folder, job.journal)
    elsewhere = replace(job, exchange=exchange, folder=tmp_path / "nowhere" / "report")
    failure = ShardWorker(elsewhere).open()
    assert isinstance(failure, Failure) and failure.reason is Reason.REQUEST
    assert failure.message.startswith(f"--exchange {exchange.address} isn't the same place there. Give one that ")
    exchange.announce()
    workers = [ShardWorker(job), ShardWorker(elsewhere)]
    assert [worker.open() for worker in workers] == [None, None]
    ids = tuple(item.id for item in workers[0].making.setup.images)[3:6]
    shared, sent = [worker.explain(1, ids) for worker in workers]
    assert isinstance(shared, ShardResult) and isinstance(sent, ShardResult)
    assert shared.stored is not None and sent.stored == shared.stored and sent.records == shared.records
    exchange.fetch(tmp_path / "fetched" / Path(shard_name(1)).name, sent.stored)
    assert (tmp_path / "fetched" / Path(shard_name(1)).name).read_bytes() == (job.folder / shard_name(1)).read_bytes()
    assert not (tmp_path / "nowhere").exists()
