"""What computes, how much at a time, and the random numbers."""

from dataclasses import dataclass
from typing import ClassVar

from cnnvis_report.settings import Group, Stated, setting
from cnnvis_report.settings.kinds import Choice, Integer, Text
from cnnvis_report.settings.text_kinds import FileOrAddress

MOST_IN_A_BATCH = 1_000_000
MOST_WORKERS = 10_000


@dataclass(frozen=True)
class MachineConfig:
    """What computes, how much at a time, and the random numbers.

    batch_size, workers: None chooses what fits.
    """

    group: ClassVar = Group.MACHINE

    device: str = setting("auto", "Device: auto, cpu, cuda, cuda:N or mps.", Text(), metavar="NAME", decides=False)
    batch_size: int | None = setting(
        None, "Batch size.", Integer(1, MOST_IN_A_BATCH, auto=True), metavar="N|auto", decides=False
    )
    seed: int = setting(0, "Random seed.", Integer(0), metavar="N", decides=False)
    engine: str = setting(
        "local",
        "What makes the maps: this process (local), or workers of a Ray cluster (ray), which needs "
        "pip install 'cnnvis-report[ray]'.",
        Choice(("local", "ray")),
        stated=Stated.NEVER,
        decides=False,
    )
    address: str | None = setting(
        None,
        "The Ray cluster of --engine ray: auto for the one that this machine is a node of, or HOST:PORT of its head.",
        Text(),
        metavar="auto|HOST:PORT",
        default_text="RAY_ADDRESS, or a cluster of this machine alone",
        only_with=("engine",),
        stated=Stated.NEVER,
        decides=False,
    )
    exchange: str | None = setting(
        None,
        "Where workers of --engine ray put maps for the command to fetch, if they don't share -o with it: a folder, or "
        "an address such as s3://bucket/exchange.",
        FileOrAddress(),
        metavar="FOLDER|ADDRESS",
        default_text="the report's folder, which every node shares",
        stated=Stated.NEVER,
        decides=False,
        only_with=("engine",),
    )
    workers: int | None = setting(
        None,
        "Workers of --engine ray; auto is one for each GPU, or for each node where there are none.",
        Integer(1, MOST_WORKERS, auto=True),
        metavar="N|auto",
        only_with=("engine",),
        stated=Stated.NEVER,
        decides=False,
    )
