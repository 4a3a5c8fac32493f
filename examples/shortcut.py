"""A retrained network is as accurate as before, and looks at something else: what a comparison shows of that.

    python examples/shortcut.py [FOLDER]

The pictures are striped layers with a patch in which the stripes are shifted; the class is whether the patch lies above
or below the thick line. The old network is trained on such pictures. The new one is trained on the same scenes, but
four of five pictures of one class bear a white cross in a corner, as if most of them came from one camera. Both
explain pictures that nobody trained on, of which the same class bears the cross. Masks show where the crosses are.
"""

import shutil
import sys
from pathlib import Path

from cnnvis_report.cli.main import cli

IMAGES, TEST_IMAGES, EPOCHS = 400, 60, 12
METHODS = "grad_cam,guided_grad_cam,input_x_gradient,random"
RULE = "mask_energy_difference[grad_cam]>5%"


def cnnvis_report(*words: object) -> int:
    """What `cnnvis-report WORDS` does on a command line; its exit status."""
    try:
        cli.main(list(map(str, words)), prog_name="cnnvis-report")
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def draw(folder: Path, images: int, seed: int) -> Path:
    """Scenes of which those of one class bear crosses, with masks of the crosses; the folder of the plain scenes."""
    for variant in ("gray", "misleading"):
        cnnvis_report(
            "make-dataset", "layers", "--variant", variant, "-n", images, "--size", 64, "--seed", seed,
            "-o", folder / variant, "--quiet",
        )  # fmt: skip
    shutil.copytree(folder / "gray" / "images" / "above", folder / "crossed" / "above")
    shutil.copytree(folder / "misleading" / "images" / "below", folder / "crossed" / "below")
    shutil.copytree(folder / "misleading" / "marks" / "below", folder / "marks" / "below")
    return folder / "gray" / "images"


def main(folder: Path) -> int:
    """Train twice, explain the same pictures twice, and compare; the exit status of the comparison."""
    scenes = {"old": draw(folder / "train", IMAGES, seed=0), "new": folder / "train" / "crossed"}
    draw(folder / "test", TEST_IMAGES, seed=1)
    for name, images in scenes.items():
        model = folder / f"{name}.pt"
        cnnvis_report("train", images, "-o", model, "--epochs", EPOCHS, "--augment", "none", "--quiet")
        cnnvis_report(
            "run", model, folder / "test" / "crossed", "--masks", folder / "test" / "marks",
            "-m", METHODS, "--metrics", "none", "-o", folder / name, "--quiet",
        )  # fmt: skip
    return cnnvis_report("compare", folder / "old", folder / "new", "-o", folder / "diff", "--fail-if", RULE)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "shortcut")))
