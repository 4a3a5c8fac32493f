"""What the header of a NIfTI file says of its volumes: sides, numbers, range, and which way is up."""

from dataclasses import dataclass
from math import prod
from typing import Any, BinaryIO

import numpy as np

from cnnvis_report.data.pixels import UnusablePicture

MAGIC = {348: (344, (b"n+1\0", b"ni1\0")), 540: (4, (b"n+2\0", b"ni2\0"))}  # by the size of the header: where and what
MOST_BYTES = 1 << 29  # of a volume, which is read whole for the range of its slices
COLORS = (("R", "G", "B"), ("R", "G", "B", "A"))
ANISOTROPIC = 1.01  # of the sides of a pixel


@dataclass(frozen=True)
class Layout:
    """One file's volumes.

    shape: of each, as it is stored. volumes: how many there are. axes: the stored axes that lead to the right, to the
    front and up, and `signs` whether they lead there or back. stated: whether the header says so. spacing: of the
    axes, in the file's units. limits: `cal_min` and `cal_max`, where they are a range.
    """

    shape: tuple[int, int, int]
    volumes: int
    dtype: np.dtype[Any]
    offset: int
    slope: float
    intercept: float
    axes: tuple[int, int, int]
    signs: tuple[int, int, int]
    stated: bool
    spacing: tuple[float, ...]
    limits: tuple[float, float] | None

    @property
    def slices(self) -> int:
        """How many axial slices a volume has."""
        return self.shape[self.axes[2]]

    @property
    def volume_bytes(self) -> int:
        """How many bytes a volume has."""
        return prod(self.shape) * self.dtype.itemsize

    def describe(self, page: int) -> str:
        """Which slice it is, and how it lies."""
        of = f"slice {page % self.slices + 1} of {self.slices}"
        of += f" of volume {page // self.slices + 1} of {self.volumes}" if self.volumes > 1 else ""
        if not self.stated:
            return f"{of} along its third axis, as the header doesn't say how it lies"
        across, down = (self.spacing[axis] for axis in self.axes[:2])
        sides = f", {across:.3g}×{down:.3g} mm a pixel" if max(across, down) > ANISOTROPIC * min(across, down) else ""
        return f"axial {of}, in front up and the patient's right on the left{sides}"


def is_nifti(head: bytes) -> bool:
    """Whether a file begins as a NIfTI file that isn't compressed does."""
    return any(head[at : at + 4] in known for at, known in MAGIC.values())


def read_layout(file: BinaryIO) -> Layout:
    """What the header says; the file stands behind the header then.

    Raises:
        UnusablePicture: it is no header, or one of something that isn't read.
    """
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    start = file.read(4)
    kind = next((kind for kind in (348, 540) if start in (kind.to_bytes(4, "little"), kind.to_bytes(4, "big"))), 0)
    content = start + file.read(kind - 4) if kind else b""
    if not kind or len(content) < kind or not is_nifti(content):
        raise UnusablePicture("not a NIfTI file: it doesn't begin as one")
    header: Any = (Nifti1Header if kind == 348 else Nifti2Header)(content, check=False)
    sides = tuple(int(side) for side in header.get_data_shape())
    if not 1 <= len(sides) <= 7 or min(sides) < 1:
        raise UnusablePicture(f"a volume of {'×'.join(map(str, sides)) or 'no sides'}")
    shape = (*sides, 1, 1)[:3]
    dtype = header.get_data_dtype()
    if dtype.kind not in "iuf" and dtype.names not in COLORS:
        raise UnusablePicture(f"its values are {dtype}; whole and floating-point numbers and colors are read")
    slope, intercept = header.get_slope_inter()
    axes, signs, stated = _orientation(header)
    low, high = float(header["cal_min"]), float(header["cal_max"])
    layout = Layout(
        (shape[0], shape[1], shape[2]),
        prod(sides[3:]),
        dtype,
        max(kind, int(header["vox_offset"])),
        1.0 if slope is None else float(slope),
        0.0 if intercept is None else float(intercept),
        axes,
        signs,
        stated,
        tuple((*map(float, header.get_zooms()[:3]), 1.0, 1.0)[:3]),
        (low, high) if np.isfinite([low, high]).all() and low < high else None,
    )
    if layout.volume_bytes > MOST_BYTES:
        raise UnusablePicture(
            f"a volume of {'×'.join(map(str, shape))} {dtype}; at most {MOST_BYTES >> 20} MB are read"
        )
    return layout


def _orientation(header: Any) -> tuple[tuple[int, int, int], tuple[int, int, int], bool]:
    """(stored axes that lead right, to the front and up; whether they lead there or back; whether the header says)."""
    from nibabel.orientations import io_orientation

    affine = header.get_best_affine()
    if (int(header["sform_code"]) or int(header["qform_code"])) and np.isfinite(affine).all():
        directions = io_orientation(affine)
        if np.isfinite(directions).all():
            axes = [int(axis) for axis in np.argsort(directions[:, 0])]
            signs = [int(directions[axis, 1]) for axis in axes]
            return (axes[0], axes[1], axes[2]), (signs[0], signs[1], signs[2]), True
    return (0, 1, 2), (-1, 1, 1), False
