"""Each layer of Keras gives the numbers that Keras computes, channels last and channels first."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.extras.needs import needs

needs("keras", "h5py")

from cnnvis_report.models.keras.registry import BUILDERS  # noqa: E402
from tests.extras.keras.models import chain, difference, graph, keras, layers, pictures  # noqa: E402

CLOSE = 1e-5
SIZES = [(13, 11), (8, 12)]

# layers on grids, which have a data format: name -> what makes them of it
GRIDS: dict[str, Callable[[str], Any]] = {
    "Conv2D": lambda order: layers.Conv2D(4, 3, data_format=order),
    "Conv2D same": lambda order: layers.Conv2D(4, 3, padding="same", data_format=order),
    "Conv2D same, even kernel": lambda order: layers.Conv2D(4, (2, 4), padding="same", data_format=order),
    "Conv2D same, strides": lambda order: layers.Conv2D(4, 3, strides=2, padding="same", data_format=order),
    "Conv2D same, strides beyond": lambda order: layers.Conv2D(4, (1, 2), strides=3, padding="same", data_format=order),
    "Conv2D same, dilated": lambda order: layers.Conv2D(
        4, 3, dilation_rate=2, padding="same", use_bias=False, data_format=order
    ),
    "Conv2D groups": lambda order: layers.Conv2D(10, 3, groups=5, activation="relu", data_format=order),
    "DepthwiseConv2D": lambda order: layers.DepthwiseConv2D(
        3, strides=2, padding="same", depth_multiplier=3, activation="relu6", data_format=order
    ),
    "SeparableConv2D": lambda order: layers.SeparableConv2D(
        6, 3, padding="same", depth_multiplier=2, activation="silu", data_format=order
    ),
    "Conv2DTranspose": lambda order: layers.Conv2DTranspose(4, 3, strides=2, data_format=order),
    "Conv2DTranspose same": lambda order: layers.Conv2DTranspose(4, 3, strides=2, padding="same", data_format=order),
    "Conv2DTranspose same, even": lambda order: layers.Conv2DTranspose(
        4, 4, strides=2, padding="same", activation="relu", data_format=order
    ),
    "Conv2DTranspose beyond": lambda order: layers.Conv2DTranspose(4, 2, strides=3, data_format=order),
    "Conv2DTranspose output padding": lambda order: layers.Conv2DTranspose(
        4, 3, strides=2, padding="same", output_padding=1, data_format=order
    ),
    "MaxPooling2D": lambda order: layers.MaxPooling2D(3, 2, data_format=order),
    "MaxPooling2D same": lambda order: layers.MaxPooling2D(3, 2, padding="same", data_format=order),
    "MaxPooling2D same, even": lambda order: layers.MaxPooling2D(2, 1, padding="same", data_format=order),
    "AveragePooling2D": lambda order: layers.AveragePooling2D((2, 3), data_format=order),
    "AveragePooling2D same": lambda order: layers.AveragePooling2D(3, 1, padding="same", data_format=order),
    "AveragePooling2D same, strides": lambda order: layers.AveragePooling2D(3, 2, padding="same", data_format=order),
    "GlobalAveragePooling2D": lambda order: layers.GlobalAveragePooling2D(data_format=order),
    "GlobalAveragePooling2D kept": lambda order: layers.GlobalAveragePooling2D(keepdims=True, data_format=order),
    "GlobalMaxPooling2D": lambda order: layers.GlobalMaxPooling2D(data_format=order),
    "GlobalMaxPooling2D kept": lambda order: layers.GlobalMaxPooling2D(keepdims=True, data_format=order),
    "ZeroPadding2D": lambda order: layers.ZeroPadding2D(((1, 2), (3, 0)), data_format=order),
    "Cropping2D": lambda order: layers.Cropping2D(((1, 2), (3, 0)), data_format=order),
    "UpSampling2D": lambda order: layers.UpSampling2D((2, 3), data_format=order),
    "UpSampling2D bilinear": lambda order: layers.UpSampling2D(2, interpolation="bilinear", data_format=order),
    "Resizing": lambda order: layers.Resizing(9, 17, data_format=order),
    "CenterCrop": lambda order: layers.CenterCrop(5, 7, data_format=order),
}

# layers whose axis is the channels'
CHANNELS: dict[str, Callable[[int], Any]] = {
    "BatchNormalization": lambda axis: layers.BatchNormalization(axis=axis, epsilon=0.01),
    "BatchNormalization without": lambda axis: layers.BatchNormalization(axis=axis, scale=False, center=False),
    "GroupNormalization": lambda axis: layers.GroupNormalization(3, axis=axis),
    "GroupNormalization by channel": lambda axis: layers.GroupNormalization(-1, axis=axis),
    "UnitNormalization": lambda axis: layers.UnitNormalization(axis=axis),
    "Normalization": lambda axis: layers.Normalization(axis=axis, mean=[0.1] * 6, variance=[0.5, 1, 2, 3, 4, 5]),
    "Normalization inverted": lambda axis: layers.Normalization(axis=axis, mean=[0.2], variance=[3.0], invert=True),
    "Softmax": lambda axis: layers.Softmax(axis=axis),
}

# layers that work number by number, or along Keras's last axis
ANY: dict[str, Callable[[], Any]] = {
    **{
        f"Activation {name}": lambda name=name: layers.Activation(name)  # type: ignore[misc]
        for name in [
            "linear",
            "relu",
            "relu6",
            "leaky_relu",
            "elu",
            "selu",
            "celu",
            "gelu",
            "silu",
            "swish",
            "hard_silu",
            "hard_swish",
            "sigmoid",
            "hard_sigmoid",
            "log_sigmoid",
            "tanh",
            "hard_tanh",
            "tanh_shrink",
            "soft_shrink",
            "hard_shrink",
            "softplus",
            "softsign",
            "mish",
            "exponential",
            "softmax",
            "log_softmax",
        ]
    },
    "ReLU": lambda: layers.ReLU(),
    "ReLU to 6": lambda: layers.ReLU(6.0),
    "ReLU to a ceiling": lambda: layers.ReLU(max_value=0.7),
    "ReLU with a slope": lambda: layers.ReLU(negative_slope=0.3),
    "ReLU with all": lambda: layers.ReLU(max_value=0.9, negative_slope=0.1, threshold=0.2),
    "LeakyReLU": lambda: layers.LeakyReLU(0.15),
    "ELU": lambda: layers.ELU(0.7),
    "PReLU by position": lambda: layers.PReLU(),
    "PReLU by channel": lambda: layers.PReLU(shared_axes=[1, 2]),
    "Rescaling": lambda: layers.Rescaling(1 / 127.5, offset=-1),
    "LayerNormalization": lambda: layers.LayerNormalization(),
    "LayerNormalization of all": lambda: layers.LayerNormalization(axis=[1, 2, 3]),
    "LayerNormalization bare": lambda: layers.LayerNormalization(scale=False, center=False),
    "Dense": lambda: layers.Dense(4, activation="relu"),
    "Dropout": lambda: layers.Dropout(0.5),
    "SpatialDropout2D": lambda: layers.SpatialDropout2D(0.5),
    "AlphaDropout": lambda: layers.AlphaDropout(0.5),
    "GaussianDropout": lambda: layers.GaussianDropout(0.5),
    "GaussianNoise": lambda: layers.GaussianNoise(0.5),
    "ActivityRegularization": lambda: layers.ActivityRegularization(),
    "Identity": lambda: layers.Identity(),
    "RandomFlip": lambda: layers.RandomFlip(),
    "RandomRotation": lambda: layers.RandomRotation(0.2),
    "RandomZoom": lambda: layers.RandomZoom(0.2),
    "RandomTranslation": lambda: layers.RandomTranslation(0.2, 0.2),
    "RandomContrast": lambda: layers.RandomContrast(0.2),
    "RandomBrightness": lambda: layers.RandomBrightness(0.2),
    "Flatten": lambda: layers.Flatten(),
    "Permute": lambda: layers.Permute((3, 1, 2)),
    "Reshape": lambda: layers.Reshape((11, 13, 6)),
    "Reshape to tokens": lambda: layers.Reshape((-1, 6)),
    "Reshape to a row": lambda: layers.Reshape((-1,)),
}


@pytest.mark.parametrize("size", SIZES, ids=["odd", "even"])
@pytest.mark.parametrize("order", ["channels_last", "channels_first"])
@pytest.mark.parametrize("name", GRIDS)
def test_a_layer_on_grids_computes_what_keras_does(name: str, order: str, size: tuple[int, int]) -> None:
    shape = (*size, 5) if order == "channels_last" else (5, *size)
    assert difference(chain([GRIDS[name](order)], shape), pictures(5, size)) <= CLOSE


@pytest.mark.parametrize("order", ["channels_last", "channels_first"])
@pytest.mark.parametrize("name", CHANNELS)
def test_a_layer_along_channels_computes_what_keras_does(name: str, order: str) -> None:
    shape, axis = ((13, 11, 5), -1) if order == "channels_last" else ((5, 13, 11), 1)
    parts = [layers.Conv2D(6, 1, data_format=order), CHANNELS[name](axis)]
    assert difference(chain(parts, shape), pictures(5, (13, 11))) <= CLOSE


@pytest.mark.parametrize("name", ANY)
def test_a_layer_on_any_shape_computes_what_keras_does(name: str) -> None:
    parts = [layers.Conv2D(6, 1), ANY[name]()]
    assert difference(chain(parts), pictures(5, (13, 11))) <= CLOSE


@pytest.mark.parametrize("order", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    "between",
    [
        "nothing",
        "Dropout",
        "ReLU",
        "BatchNormalization",
        "PReLU",
        "LayerNormalization",
        "Rescaling",
        "Softmax",
        "Reshape",
        "UnitNormalization",
        "GroupNormalization",
    ],
)
def test_a_flattened_grid_goes_into_a_dense_layer(between: str, order: str) -> None:
    made = {
        "nothing": [],
        "Dropout": [layers.Dropout(0.5)],
        "ReLU": [layers.ReLU()],
        "BatchNormalization": [layers.BatchNormalization()],
        "PReLU": [layers.PReLU()],
        "LayerNormalization": [layers.LayerNormalization()],
        "Rescaling": [layers.Rescaling([0.5] * 5 * 13 * 11 if order == "channels_last" else 0.5, 1.0)],
        "Softmax": [layers.Softmax()],
        "Reshape": [layers.Reshape((11, 65)), layers.Flatten()],
        "UnitNormalization": [layers.UnitNormalization()],
        "GroupNormalization": [layers.GroupNormalization(5)],
    }[between]
    shape = (13, 11, 5) if order == "channels_last" else (5, 13, 11)
    model = chain([layers.Conv2D(5, 1, data_format=order), layers.Flatten(), *made, layers.Dense(4)], shape)
    assert difference(model, pictures(5, (13, 11))) <= CLOSE


MERGES: dict[str, Callable[[Any, Any], Any]] = {
    "Add": lambda x, y: layers.Add()([x, y, x]),
    "Subtract": lambda x, y: layers.Subtract()([x, y]),
    "Multiply": lambda x, y: layers.Multiply()([x, y]),
    "Average": lambda x, y: layers.Average()([x, y, y]),
    "Maximum": lambda x, y: layers.Maximum()([x, y]),
    "Minimum": lambda x, y: layers.Minimum()([x, y]),
    "Concatenate": lambda x, y: layers.Concatenate()([x, y]),
    "Concatenate rows": lambda x, y: layers.Concatenate(axis=1)([x, y]),
    "Multiply by a vector": lambda x, y: layers.Multiply()([x, layers.GlobalAveragePooling2D()(y)]),
    "squeeze and excite": lambda x, y: layers.Multiply()(
        [x, layers.Conv2D(5, 1)(layers.Reshape((1, 1, 5))(layers.GlobalAveragePooling2D()(y)))]
    ),
    "operator +": lambda x, y: x + y * 2.0 - 1.0,
    "operator /": lambda x, y: x / (1.5 + y * y),
    "maximum": lambda x, y: keras.ops.maximum(x, y) + keras.ops.minimum(x, 0.1),
    "power": lambda x, y: keras.ops.power(x, 2.0) + y,
    "relu": lambda x, y: keras.ops.relu(x) + keras.ops.gelu(y) + keras.ops.leaky_relu(x) + keras.ops.elu(y),
    "mean": lambda x, y: keras.ops.mean(x + y, axis=(1, 2)),
    "mean kept": lambda x, y: x * keras.ops.mean(y, axis=(1, 2), keepdims=True),
    "sum over channels": lambda x, y: keras.ops.sum(x * y, axis=-1),
    "max over rows": lambda x, y: keras.ops.max(x * y, axis=1),
    "reshape": lambda x, y: keras.ops.reshape(x - y, (-1, 143, 5)),
    "transpose": lambda x, y: keras.ops.transpose(x - y, (0, 3, 2, 1)),
    "expand and squeeze": lambda x, y: keras.ops.squeeze(keras.ops.expand_dims(x + y, 1), 1),
    "a channel": lambda x, y: layers.Flatten()(x[..., 2]) + layers.Flatten()(y[:, :, :, 1]),
    "a slice": lambda x, y: x[:, 1:7, :, ::2] + y[:, 3:9, :, 2:],
    "stack": lambda x, y: keras.ops.stack([x[..., 2], y[..., 1], x[..., 0]], axis=-1),
    "concatenate": lambda x, y: keras.ops.concatenate([x, y], axis=-1),
    "softmax": lambda x, y: keras.ops.softmax(x + y, axis=-1),
    "constant a channel": lambda x, y: x * keras.ops.convert_to_tensor([1.0, 2.0, 3.0, 4.0, 5.0]) + y,
    "constant first": lambda x, y: 3.0 - x + keras.ops.exp(y),
}


@pytest.mark.parametrize("name", MERGES)
def test_two_branches_meet_as_in_keras(name: str) -> None:
    def build(images: Any) -> Any:
        return MERGES[name](layers.Conv2D(5, 3, padding="same")(images), layers.Conv2D(5, 1, activation="tanh")(images))

    assert difference(graph(build), pictures(5, (13, 11))) <= CLOSE


TOKENS: dict[str, Callable[[Any], Any]] = {
    "MultiHeadAttention": lambda tokens: layers.MultiHeadAttention(2, 3)(tokens, tokens),
    "MultiHeadAttention of others": lambda tokens: layers.MultiHeadAttention(2, 3, value_dim=4, use_bias=False)(
        tokens, layers.Dense(7)(tokens), layers.Dense(6)(tokens)
    ),
    "transformer block": lambda tokens: (
        tokens + layers.MultiHeadAttention(1, 5)(*[layers.LayerNormalization()(tokens)] * 2)
    ),
    "Dense": lambda tokens: layers.Dense(3, activation="gelu")(tokens),
    "BatchNormalization": lambda tokens: layers.BatchNormalization()(tokens),
    "GlobalAveragePooling1D": lambda tokens: layers.GlobalAveragePooling1D()(tokens),
    "GlobalMaxPooling1D": lambda tokens: layers.GlobalMaxPooling1D(keepdims=True)(tokens),
    "RepeatVector": lambda tokens: layers.RepeatVector(3)(layers.GlobalAveragePooling1D()(tokens)),
    "Flatten": lambda tokens: layers.Dense(2)(layers.Flatten()(tokens)),
    "back to a grid": lambda tokens: layers.Conv2D(2, 3)(layers.Reshape((13, 11, 5))(tokens)),
}


@pytest.mark.parametrize("name", TOKENS)
def test_tokens_go_through_layers_as_in_keras(name: str) -> None:
    model = graph(lambda images: TOKENS[name](layers.Reshape((143, 5))(layers.Conv2D(5, 1)(images))))
    assert difference(model, pictures(5, (13, 11))) <= CLOSE


def test_layers_of_applications_compute_what_keras_does() -> None:
    from keras.src.applications.convnext import LayerScale, StochasticDepth
    from keras.src.applications.inception_resnet_v2 import CustomScaleLayer

    def build(images: Any) -> Any:
        scaled = LayerScale(0.5, 5)(images)
        return CustomScaleLayer(0.17)([StochasticDepth(0.3)(scaled), images])

    assert difference(graph(build), pictures(5, (13, 11))) <= CLOSE


def test_sizes_that_keras_leaves_open_are_any() -> None:
    parts = [layers.Conv2D(4, 3, 2, padding="same"), layers.MaxPooling2D(3, 2, padding="same")]
    model = chain([*parts, layers.GlobalAveragePooling2D(), layers.Dense(3)], (None, None, 5))
    assert max(difference(model, pictures(5, size)) for size in [(13, 11), (8, 20), (32, 32)]) <= CLOSE


def test_every_layer_of_the_table_is_one_of_keras() -> None:
    def exists(name: str) -> bool:
        module = keras.src.ops if name.startswith("ops.") else layers
        plain = name.removeprefix("ops.")
        return hasattr(module, plain) or any(
            hasattr(part, plain)
            for part in (
                keras.src.ops.numpy,
                keras.src.ops.nn,
                keras.src.ops.core,
                keras.src.applications.convnext,
                keras.src.applications.inception_resnet_v2,
            )
        )

    assert [name for name in BUILDERS.entries() if not exists(name)] == []
