"""Workers that end, that are too small, or that are of no use: what becomes of their shards, and what is said."""

from collections.abc import Sequence
from typing import Any

import pytest

from cnnvis_report.distributed.cluster import Cluster
from cnnvis_report.distributed.job import Failure, Reason, ShardResult, ShardTask
from cnnvis_report.distributed.pool import MOST_ENDS, Pool
from cnnvis_report.errors import BadRequest, CnnVisError, RunFailed
from cnnvis_report.pipeline.stats import RunStats
from cnnvis_report.progress import Progress
from tests.distributed.fake_ray import Answer, FakeRay, RayError, RayTaskError

TASKS = [ShardTask(number, (f"id-{number}",), (f"{number}.png",)) for number in range(5)]
TOO_LARGE = Failure("0.png alone doesn't fit into memory.", Reason.MEMORY)


class Warnings(Progress):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def warn(self, message: str, error: Exception | None = None) -> None:
        self.lines.append(message)


def done(number: int) -> ShardResult:
    return ShardResult(number, [], None, {}, RunStats())


def pool_of(answer: Answer, count: int = 2) -> tuple[Pool, FakeRay, Warnings]:
    ray, warnings = FakeRay(answer), Warnings()
    cluster = Cluster(ray, "A cluster", nodes=2, processors=4.0, devices=0.0)
    return Pool(cluster, count, cluster.share(count, on_devices=False), b"job", warnings, "explain"), ray, warnings


def numbers(results: Sequence[tuple[ShardTask, Any]]) -> list[int]:
    assert all(result.number == task.number for task, result in results)
    return sorted(task.number for task, _ in results)


def usual(actor: int, method: str, arguments: tuple[Any, ...]) -> Any:
    return (f"10.0.0.{actor}", None) if method == "open" else done(arguments[0])


def test_every_shard_is_explained_once_and_no_actor_is_left() -> None:
    pool, ray, warnings = pool_of(usual)
    assert numbers(list(pool.map(TASKS))) == [0, 1, 2, 3, 4]
    assert ray.started == 2 and sorted(ray.killed) == [0, 1] and not warnings.lines
    assert ray.options == {"max_restarts": 0, "scheduling_strategy": "SPREAD", "num_cpus": 0.5}


def test_there_are_no_more_workers_than_shards() -> None:
    pool, ray, _ = pool_of(usual, count=50)
    assert numbers(list(pool.map(TASKS[:2]))) == [0, 1] and ray.started == 2


def test_the_shard_of_a_worker_that_ends_goes_to_another_one() -> None:
    def ends_once(actor: int, method: str, arguments: tuple[Any, ...]) -> Any:
        if actor == 1 and method == "explain":
            raise RayError("the actor died\nand a page of details")
        return usual(actor, method, arguments)

    pool, ray, warnings = pool_of(ends_once)
    assert numbers(list(pool.map(TASKS))) == [0, 1, 2, 3, 4]
    assert ray.started == 3, "another one took its place"
    (line,) = warnings.lines
    assert line.startswith("A worker on 10.0.0.1 ended (the actor died). Another one explains the images from ")


def test_images_that_end_one_worker_after_the_other_end_the_run() -> None:
    def ends_always(actor: int, method: str, arguments: tuple[Any, ...]) -> Any:
        if method == "explain" and arguments[0] == 3:
            raise RayError("killed for its memory")
        return usual(actor, method, arguments)

    pool, ray, warnings = pool_of(ends_always)
    with pytest.raises(RunFailed, match=f"{MOST_ENDS} workers ended over the images from 3.png to 3.png: killed for"):
        list(pool.map(TASKS))
    assert len(warnings.lines) == MOST_ENDS - 1
    assert set(range(ray.started)) <= set(ray.killed), "no actor outlives the run"


def test_workers_that_end_before_they_are_open_end_the_run() -> None:
    def never_opens(actor: int, method: str, arguments: tuple[Any, ...]) -> Any:
        raise RayError("no such library")

    pool, ray, _ = pool_of(never_opens)
    with pytest.raises(RunFailed, match=f"{MOST_ENDS} workers ended before they were open: no such library"):
        list(pool.map(TASKS))
    assert set(range(ray.started)) <= set(ray.killed)


def test_a_worker_whose_device_is_too_small_gets_no_more_images() -> None:
    asked: list[int] = []

    def small(actor: int, method: str, arguments: tuple[Any, ...]) -> Any:
        if method == "explain":
            asked.append(actor)
        return TOO_LARGE if actor == 0 and method == "explain" else usual(actor, method, arguments)

    pool, ray, warnings = pool_of(small)
    assert numbers(list(pool.map(TASKS))) == [0, 1, 2, 3, 4]
    assert asked.count(0) == 1 and ray.started == 2
    assert warnings.lines == [
        "The worker on 10.0.0.0: 0.png alone doesn't fit into memory. Its images go to the other workers."
    ]


def test_a_worker_that_has_nothing_to_do_takes_the_shard_of_one_that_gives_up() -> None:
    def small(actor: int, method: str, arguments: tuple[Any, ...]) -> Any:
        return TOO_LARGE if actor == 1 and method == "explain" else usual(actor, method, arguments)

    pool, ray, _ = pool_of(small)
    assert numbers(list(pool.map(TASKS[:2]))) == [0, 1] and ray.started == 2


def test_images_that_fit_into_no_worker_end_the_run() -> None:
    def small(actor: int, method: str, arguments: tuple[Any, ...]) -> Any:
        return TOO_LARGE if method == "explain" else usual(actor, method, arguments)

    pool, _, warnings = pool_of(small)
    with pytest.raises(RunFailed, match=r"The worker on 10\.0\.0\.1: 0\.png alone doesn't fit into memory\."):
        list(pool.map(TASKS))
    assert len(warnings.lines) == 1, "the last one is the error"


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (Failure("has torch 2.6.", Reason.REQUEST), BadRequest, "The worker on 10.0.0.9: has torch 2.6."),
        ("ModuleNotFoundError: No module named 'cnnvis_report'", BadRequest, "Install the same cnnvis-report"),
    ],
    ids=["another version", "not installed"],
)
def test_a_worker_of_no_use_ends_the_run(answer: Any, error: type[CnnVisError], words: str) -> None:
    pool, ray, _ = pool_of(lambda actor, method, arguments: ("10.0.0.9", answer))
    with pytest.raises(error, match=words):
        list(pool.map(TASKS))
    assert set(range(ray.started)) <= set(ray.killed)


def test_an_error_that_nobody_expects_is_one_line_with_its_node() -> None:
    def broken(actor: int, method: str, arguments: tuple[Any, ...]) -> Any:
        if method == "explain":
            raise RayTaskError(ZeroDivisionError("by what?"))
        return usual(actor, method, arguments)

    pool, _, _ = pool_of(broken)
    with pytest.raises(RunFailed, match=r"The worker on 10\.0\.0\.0 failed: ZeroDivisionError: by what\?"):
        list(pool.map(TASKS))


@pytest.mark.parametrize(
    ("devices", "workers", "share"),
    [(0.0, 2, {"num_cpus": 0.5}), (0.0, 8, {"num_cpus": 0.25}), (2.0, 2, {"num_cpus": 0.5, "num_gpus": 1.0}),
     (2.0, 4, {"num_cpus": 0.5, "num_gpus": 0.5})],
    ids=["processors", "more workers than processors", "a GPU each", "two workers a GPU"],
)  # fmt: skip
def test_workers_leave_processors_free(devices: float, workers: int, share: dict[str, float]) -> None:
    cluster = Cluster(None, "A cluster", nodes=2, processors=4.0, devices=devices)
    assert cluster.share(workers, on_devices=devices > 0) == share
    assert workers * share["num_cpus"] < cluster.processors


def test_a_cluster_without_a_gpu_gets_no_network_that_is_on_one() -> None:
    cluster = Cluster(None, "The Ray cluster at 10.0.0.1:6379", nodes=2, processors=4.0, devices=0.0)
    with pytest.raises(BadRequest, match=r"The Ray cluster at 10\.0\.0\.1:6379 has no GPU.*Give --device cpu"):
        cluster.workers(None, on_devices=True)
    assert cluster.workers(None, on_devices=False) == 2 and cluster.workers(7, on_devices=False) == 7
