"""A connection to a Ray cluster, and the one-line reasons why there is none."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cnnvis_report.errors import BadRequest, RunFailed, brief

PORT = 6379  # of a head, as `ray start --head` has it
SECONDS = 5.0  # in which a head has to answer
LOCAL = "local"
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


@dataclass(frozen=True)
class Cluster:
    """A cluster that this process is connected to.

    ray: the module. name: as messages call it. nodes, processors, devices: how many there are.
    """

    ray: Any
    name: str
    nodes: int
    processors: float
    devices: float

    def workers(self, wanted: int | None, *, on_devices: bool) -> int:
        """How many workers there will be: those that are wanted, else one for each GPU or for each node.

        Raises:
            BadRequest: they would need GPUs, and there are none.
        """
        if on_devices and not self.devices:
            raise BadRequest(f"{self.name} has no GPU, and the network is on one here. Give --device cpu.")
        return wanted or max(1, int(self.devices) if on_devices else self.nodes)

    def share(self, workers: int, *, on_devices: bool) -> dict[str, float]:
        """What each of so many workers takes of the cluster.

        Processors are taken by fractions: what reads and writes for a worker, and other programs, find some left.
        """
        share = {"num_cpus": min(1.0, self.processors / workers) / 2}
        if on_devices:
            share["num_gpus"] = 1.0 if workers <= self.devices else 1.0 / -(-workers // int(self.devices))
        return share

    def threads(self, workers: int) -> int:
        """How many threads a worker computes with where OMP_NUM_THREADS says nothing."""
        return max(1, int(self.processors // workers))


@contextmanager
def connected(address: str | None) -> Iterator[Cluster]:
    """Be connected to a cluster until the block ends; one of this machine alone ends with it.

    Args:
        address: "auto", or the head's host and port; what RAY_ADDRESS says, or a cluster of this machine, where None.

    Raises:
        BadRequest: no cluster is there, it is of another version, or Ray isn't installed.
    """
    ray = _ray()
    address = address or os.environ.get("RAY_ADDRESS") or LOCAL
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    _check_address(address)
    address = _with_port(address)
    try:
        ray.init(
            address=address,
            include_dashboard=False if address == LOCAL else None,
            logging_level="ERROR",
            log_to_driver=False,
        )
    except Exception as error:  # Ray raises errors of every kind
        raise _refusal(address, error) from error
    try:
        resources, alive = ray.cluster_resources(), [node for node in ray.nodes() if node["Alive"]]
        name = "A Ray cluster of this machine" if address == LOCAL else f"The Ray cluster at {address}"
        yield Cluster(ray, name, len(alive), resources.get("CPU", 1.0), resources.get("GPU", 0.0))
    finally:
        ray.shutdown()


def _ray() -> Any:
    """The module."""
    try:
        import ray
    except ImportError as error:
        raise BadRequest("--engine ray needs Ray: pip install 'cnnvis-report[ray]', on every node.") from error
    return ray


def _check_address(address: str) -> None:
    """Knock where the head should be: Ray itself would wait for minutes, and end the program then."""
    if address in ("auto", LOCAL):
        return
    host, _, port = _with_port(address).rpartition(":")
    if "://" in address or not port.isdecimal() or not 0 < int(port) < 1 << 16 or not host:
        raise BadRequest(f"--address {address!r}: isn't auto, nor HOST:PORT of a head, such as 10.0.0.1:{PORT}.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS).close()
    except OSError as error:
        reason = error.strerror or brief(error)
        raise BadRequest(
            f"--address {address}: no Ray cluster answers there ({reason}). `ray start --head` starts one, and prints "
            "its address; without --address, a cluster of this machine alone is taken."
        ) from error


def _with_port(address: str) -> str:
    return address if address in ("auto", LOCAL) or ":" in address else f"{address}:{PORT}"


def _refusal(address: str, error: Exception) -> BadRequest | RunFailed:
    if isinstance(error, ConnectionError):
        return BadRequest(
            f"--address {address}: this machine is no node of a Ray cluster that runs. `ray start --head` starts one; "
            "without --address, a cluster of this machine alone is taken."
        )
    if "ersion mismatch" in str(error):
        lines = " ".join(line.strip() for line in str(error).splitlines() if line.strip())
        return BadRequest(f"--address {address}: {brief(RuntimeError(lines))}. Install the same on every node.")
    if address == LOCAL:
        return RunFailed(f"Ray can't start a cluster of this machine: {brief(error)}.")
    return BadRequest(f"--address {address}: Ray can't connect ({brief(error)}).")
