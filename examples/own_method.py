"""A method of one's own, beside those that are there.

Run it:                  python examples/own_method.py
or, what it does inside: cd examples && cnnvis-report run own_network:build PICTURES -m grad_cam,own_method:contrast

`@method` is all it takes: the command line knows the method and its options, the report prints the docstring's first
paragraph, and maps are shown as `kind`, `sign` and `reduction` say.
"""

import subprocess
import sys
from pathlib import Path

from own_network import draw
from torch import Tensor

from cnnvis_report.plugin import Kind, Sign, Tape, method


@method(
    title="Contrast",
    family="my own",
    source="no source: an example",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
)
def contrast(tape: Tape, targets: Tensor, *, against: int = 0) -> Tensor:
    """What speaks for the class rather than for another one.

    x * d(y - y')/dx, y the target logit and y' that of the class `against`. Both gradients may be shared with other
    methods: asking the tape twice for the same pass costs nothing.

    Args:
        targets: [N] class indices.
        against: the index of the other class.

    Returns:
        [N, C, H, W] in logits.
    """
    other = targets.new_full(targets.shape, against)
    difference = tape.gradients(targets).pixels - tape.gradients(other).pixels
    tape.note(against=tape.subject.classes[against])
    return tape.images * difference


if __name__ == "__main__":
    output = Path(sys.argv[1] if len(sys.argv) > 1 else "own-method").resolve()
    draw(output / "pictures")
    methods = ["--methods", "input_x_gradient,own_method:contrast", "--option", "contrast.against=1"]
    methods += ["--classes", "top:2", "--keep", "full"]  # both classes, and all channels of their maps
    command = ["run", "own_network:build", str(output / "pictures"), "-o", str(output / "report"), *methods]
    subprocess.run([sys.executable, "-m", "cnnvis_report", *command], check=True, cwd=Path(__file__).parent)
