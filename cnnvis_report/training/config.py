"""What a user asks of a training: a field a setting, as in `pipeline.config`."""

from dataclasses import dataclass
from pathlib import Path

from cnnvis_report.settings import Group, required, setting
from cnnvis_report.settings.kinds import Choice, File, FileName, Flag, Integer, Integers, Real, Text

MOST = 1_000_000  # epochs, and images in a batch
AUGMENTATIONS = ("none", "d4", "light", "strong")


@dataclass(frozen=True)
class TrainConfig:
    """What a user asks of a training.

    weights: a file, "none", or None for what is usual. lr: None takes what suits the network. patience: 0 for never.
    """

    images: Path = required(
        "A folder with a subfolder of images for each class.", File(), group=Group.IMAGES, argument=True
    )
    output: Path = setting(
        Path("model.pt"), "The model file to write.", File(), group=Group.REPORT, short="-o", metavar="FILE"
    )
    arch: str = setting(
        "small",
        "Architecture: small, or a torchvision classifier such as resnet18.",
        Text(),
        group=Group.MODEL,
        metavar="NAME",
    )
    weights: str | None = setting(
        None,
        "Weights to start from: a file, or none for random initialization.",
        FileName(),
        group=Group.MODEL,
        short="-w",
        metavar="FILE|none",
        default_text="torchvision's pretrained weights; none for small",
    )
    head: str = setting(
        "linear",
        "Last layers: linear is the architecture's own; cam is a convolution, global average pooling and a linear "
        "layer, for which class activation mapping (CAM) is defined. With pretrained weights, cam freezes the "
        "backbone.",
        Choice(("linear", "cam")),
        group=Group.MODEL,
    )
    freeze: str | None = setting(
        None,
        "Freeze this layer and all layers before it; backbone freezes everything but the head, none nothing.",
        Text(),
        group=Group.MODEL,
        metavar="LAYER",
    )
    test: Path | None = setting(
        None,
        "A folder of test images, used neither for training nor for selecting the best epoch.",
        File(),
        group=Group.IMAGES,
        metavar="DIR",
    )
    val_split: float = setting(
        0.2, "Share of each class that is held out for validation.", Real(0, 0.99), group=Group.IMAGES, metavar="SHARE"
    )
    size: str | None = setting(
        None,
        "Input size: a side (224), or HEIGHTxWIDTH (192x256).",
        Text(numbers=True),
        group=Group.IMAGES,
        metavar="SIZE",
        default_text="what the weights expect; else the images' own size, 128 at most",
    )
    channels: str = setting(
        "auto",
        "Channels of the input: 1 for gray, 3 for color; auto looks at the images.",
        Text(numbers=True),
        group=Group.IMAGES,
        metavar="1|3|auto",
    )
    epochs: int = setting(25, "Number of epochs.", Integer(1, MOST), group=Group.TRAINING, metavar="N")
    lr: float | None = setting(
        None, "Learning rate.", Real(0, 10), group=Group.TRAINING, metavar="RATE", default_text="what suits --arch"
    )
    augment: str = setting(
        "light",
        "Data augmentation: light shifts, rotates and brightens a little; strong also mirrors, crops, shifts colors "
        "and erases parts, for photographs; d4 mirrors and rotates by quarter turns, for images without an up.",
        Choice(AUGMENTATIONS),
        group=Group.TRAINING,
    )
    class_weights: str = setting(
        "none",
        "Weights of the classes in the loss: balanced makes each class count alike, however few its images are.",
        Choice(("none", "balanced")),
        group=Group.TRAINING,
    )
    patience: int = setting(
        10,
        "Stop early after this many epochs without a better one; 0 never stops early.",
        Integer(0),
        group=Group.TRAINING,
        metavar="N",
    )
    checkpoint_epochs: tuple[int, ...] = setting(
        (),
        "Save the network after these epochs too, e.g. 1,5,25, to show in the report how its maps developed.",
        Integers(),
        group=Group.TRAINING,
        metavar="N,N,…",
    )
    data_randomization: bool = setting(
        False,
        "Also train the network on permuted labels, which takes as long again, and keep it in the model file: the "
        "report then shows which methods' maps stay the same, though nothing could be learned from the labels.",
        Flag(),
        group=Group.TRAINING,
    )
    batch_size: int = setting(32, "Batch size.", Integer(2, MOST), group=Group.MACHINE, metavar="N")
    seed: int = setting(0, "Random seed.", Integer(0), group=Group.MACHINE, metavar="N")
    report: Path | None = setting(
        None,
        "Write a report on the test images, or else on the validation images, into this folder.",
        File(),
        group=Group.REPORT,
        metavar="DIR",
    )
