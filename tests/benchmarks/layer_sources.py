"""Which layer others read for class activation maps, and where they say so.

A layer is given as its authors or a tutorial name it, and compared as a tensor: a block and its last child, or two
libraries' names of one place, are the same. Two differences are deliberate:

- VGG, AlexNet: the tutorials' `features[-1]` is the result of a max pooling. Here it is what goes into that, as in the
  paper's own code (relu5_3): the same features at twice the resolution.
- Swin, ResMLP: of a stage's whole sum and the normalization that reads it, the normalization, as MMPretrain does for
  Swin. For ResMLP, whose norm only scales and shifts each channel, Grad-CAM differs by a constant. pytorch-grad-cam's
  `norm1` of Swin's last block holds what enters one branch of two, and TorchCAM's `norm2` the other.

Of the other networks of timm in `default_layers` nobody was found to name a layer; what is expected there is our own
judgment.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Source:
    """Somebody who names a layer: who, where, and the layer in that network's own names, empty for the rule.

    The rule is the last layer whose output still has a spatial size. normalized: whether ours is the normalization that
    reads what the source names.
    """

    who: str
    url: str
    layer: str = ""
    normalized: bool = False


GRAD_CAM = ("Grad-CAM's authors, layer_name relu5_3, relu5_4, relu5", "https://github.com/ramprs/grad-cam")
TUTORIAL = (
    "pytorch-grad-cam, Choosing the target layer",
    "https://github.com/jacobgil/pytorch-grad-cam#chosing-the-target-layer",
)
TRANSFORMERS = (
    "pytorch-grad-cam, Vision Transformers",
    "https://jacobgil.github.io/pytorch-gradcam-book/vision_transformers.html",
)
TORCH_CAM = (
    "TorchCAM, Choosing the target layer",
    "https://frgfm.github.io/torch-cam/getting-started/advanced-usage/#choosing-the-target-layer",
)
MMPRETRAIN = (
    "MMPretrain, CAM visualization",
    "https://mmpretrain.readthedocs.io/en/latest/useful_tools/cam_visualization.html",
)
POOLFORMER = ("PoolFormer's authors", "https://github.com/sail-sg/poolformer/blob/main/misc/cam_image.py")
INCEPTION = ("Stack Overflow, mixed10 of Inception V3", "https://stackoverflow.com/questions/52162990")
RULE = Source(*TORCH_CAM)

TORCHVISION = {
    "alexnet": Source(*GRAD_CAM, "features.11"),
    "vgg11": Source(*GRAD_CAM, "features.19"),
    "vgg11_bn": Source(*GRAD_CAM, "features.27"),
    "vgg13": Source(*GRAD_CAM, "features.23"),
    "vgg13_bn": Source(*GRAD_CAM, "features.33"),
    "vgg16": Source(*GRAD_CAM, "features.29"),
    "vgg16_bn": Source(*GRAD_CAM, "features.42"),
    "vgg19": Source(*GRAD_CAM, "features.35"),
    "vgg19_bn": Source(*GRAD_CAM, "features.51"),
    "convnext_*": Source(*POOLFORMER, "features.7"),
    "densenet*": Source(*TUTORIAL, "features.norm5"),
    "efficientnet_*": Source(*TORCH_CAM, "features"),
    "googlenet": RULE,
    "inception_v3": Source(*INCEPTION, "Mixed_7c"),
    "maxvit_t": RULE,
    "mnasnet*": Source(*TUTORIAL, "layers.16"),
    "mobilenet_v2": Source(*TUTORIAL, "features.18"),
    "mobilenet_v3_*": Source(*TORCH_CAM, "features"),
    "regnet_*": RULE,
    "resn*": Source(*TUTORIAL, "layer4.-1"),
    "shufflenet_*": RULE,
    "squeezenet*": Source(*TORCH_CAM, "features"),
    "swin_*": Source(*MMPRETRAIN, "norm"),
    "vit_*": Source(*TRANSFORMERS, "encoder.layers.-1.ln_1"),
    "wide_resnet*": Source(*TUTORIAL, "layer4.-1"),
}

SMALL: dict[str, Any] = {"img_size": 64}
Sourced = tuple[Source, int, dict[str, Any]]
# by timm's name: the source, the side of the picture, and what else the network is made with
TIMM: dict[str, Sourced] = {
    "resnet10t": (Source(*TUTORIAL, "layer4.-1"), 64, {}),
    "resnet18": (Source(*TUTORIAL, "layer4.-1"), 64, {}),
    "resnet26t": (Source(*TUTORIAL, "layer4.-1"), 64, {}),
    "resnext26ts": (RULE, 64, {}),
    "skresnet18": (Source(*TORCH_CAM, "layer4"), 64, {}),
    "resnest14d": (Source(*TORCH_CAM, "layer4"), 64, {}),
    "resnetv2_18": (RULE, 64, {}),
    "cspresnet50": (RULE, 64, {}),
    "densenet121": (Source(*TUTORIAL, "features.-1"), 64, {}),
    "vgg11": (Source(*GRAD_CAM, "features.19"), 64, {"mlp_ratio": 1 / 64}),
    "mobilenetv2_035": (RULE, 64, {}),
    "mobilenetv3_small_050": (RULE, 64, {}),
    "mobilenetv4_conv_small_035": (RULE, 64, {}),
    "efficientnet_lite0": (RULE, 64, {}),
    "tf_efficientnetv2_b0": (RULE, 64, {}),
    "mnasnet_small": (RULE, 64, {}),
    "fbnetc_100": (RULE, 64, {}),
    "ghostnet_100": (RULE, 64, {}),
    "rexnet_100": (RULE, 64, {}),
    "regnetx_002": (RULE, 64, {}),
    "regnety_002": (RULE, 64, {}),
    "repvgg_a0": (RULE, 64, {}),
    "xception41": (RULE, 64, {}),
    "hrnet_w18_small": (RULE, 64, {}),
    "inception_v3": (Source(*INCEPTION, "Mixed_7c"), 107, {}),
    "convnext_atto": (Source(*POOLFORMER, "stages.-1"), 64, {}),
    "convnextv2_atto": (Source(*POOLFORMER, "stages.-1"), 64, {}),
    "poolformer_s12": (Source(*POOLFORMER, "stages.-1"), 64, {}),
    "resmlp_12_224": (Source(*POOLFORMER, "blocks.-1", normalized=True), 64, SMALL),
    "deit_tiny_patch16_224": (Source(*POOLFORMER, "blocks.-1.norm1"), 64, SMALL),
    "deit_tiny_distilled_patch16_224": (Source(*TRANSFORMERS, "blocks.-1.norm1"), 64, SMALL),
    "vit_tiny_patch16_224": (Source(*TRANSFORMERS, "blocks.-1.norm1"), 64, SMALL),
    "swin_tiny_patch4_window7_224": (Source(*MMPRETRAIN, "norm"), 64, SMALL),
}
