"""Layers that do nothing once a network is trained: dropout, noise, augmentation."""

from torch import nn

from cnnvis_report.models.keras.registry import Call, Converted, builds, same


@builds("Dropout", "SpatialDropout2D", "SpatialDropout1D", "AlphaDropout", "GaussianDropout", "StochasticDepth")
def dropout(call: Call) -> Converted:
    """Dropout, which is off."""
    return same(nn.Dropout(0.0), call.input, call.output)


@builds(
    *("GaussianNoise", "ActivityRegularization", "Identity", "RandomFlip", "RandomRotation", "RandomTranslation"),
    *("RandomZoom", "RandomContrast", "RandomBrightness", "RandomShear", "RandomHue", "RandomSaturation"),
    *("RandomColorJitter", "RandomColorDegeneration", "RandomSharpness", "RandomPosterization", "RandomGrayscale"),
    *("RandomErasing", "RandomInvert", "RandomGaussianBlur", "RandomPerspective", "RandomElasticTransform"),
    *("RandAugment", "AugMix", "MixUp", "CutMix"),
)
def training_only(call: Call) -> Converted:
    """Noise and augmentation, which are off."""
    return same(nn.Identity(), call.input, call.output)
