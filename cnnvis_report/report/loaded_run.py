"""A stored run with what can be made of it, for Python."""

from collections.abc import Sequence
from pathlib import Path

from cnnvis_report.report.figure.caption import caption
from cnnvis_report.report.figure.config import PREDICTION, FigureConfig
from cnnvis_report.report.figure.save import save_figure
from cnnvis_report.settings import build
from cnnvis_report.store import run_folder


class Run(run_folder.StoredRun):
    """A complete run in its folder, which can be drawn."""

    def figure(
        self,
        path: str | Path,
        *,
        images: str | Sequence[str] = (),
        methods: str | Sequence[str] = (),
        rows: int | None = None,
        target: str = PREDICTION,
        palette: str | Sequence[str] = (),
        width_mm: float = 178.0,
        font_size: float = 8.0,
    ) -> str:
        """Write rows of images by columns of methods as one figure: PNG, SVG or PDF, as the path's suffix says.

        Args:
            images: names as the report shows them; those that say most of the network without any.
            methods: names such as "grad_cam", or "grad_cam@layer4"; the best of each family without any.
            rows: how many images are chosen, where none is named.
            target: whose maps are shown: "prediction" or "label".
            palette: of the maps, such as "viridis", of the signed ones, such as "PuOr", or both.
            width_mm: of the whole figure.
            font_size: of its letters, in points.

        Returns:
            The caption, in words.

        Raises:
            UnknownName: the run has no such image or method. BadRequest: anything else can't be done; nothing is
            written then.
        """
        values = {"images": images, "methods": methods, "rows": rows, "target": target, "palette": palette}
        config = build(FigureConfig, values | {"width_mm": width_mm, "font_size": font_size})
        return caption(save_figure(self, Path(path), config))


def load_run(folder: str | Path) -> Run:
    """The complete run of a folder; nothing in it is executed, and torch isn't needed.

    Raises:
        BadRequest: the folder holds no complete run, one of another version, or one that got damaged.
    """
    stored = run_folder.load_run(Path(folder))
    return Run(stored.folder, stored.record)
