"""Attention over tokens."""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from cnnvis_report.models.keras.axes import Axes
from cnnvis_report.models.keras.layers.dense import linear
from cnnvis_report.models.keras.parameters import values
from cnnvis_report.models.keras.registry import Call, Converted, NotConverted, builds


class Attention(nn.Module):
    """Multi-head attention with a projection before and behind."""

    def __init__(self, heads: int, query: nn.Linear, key: nn.Linear, value: nn.Linear, output: nn.Linear) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.output = query, key, value, output

    def forward(self, query: Tensor, value: Tensor | None = None, key: Tensor | None = None) -> Tensor:
        """Of tokens [N, L, features]; `value` is `query` where it is left out, and `key` is `value`."""
        value = query if value is None else value
        key = value if key is None else key
        q, k, v = self._split(self.query(query)), self._split(self.key(key)), self._split(self.value(value))
        mixed: Tensor = self.output(functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return mixed

    def _split(self, tokens: Tensor) -> Tensor:
        """[N, heads, L, features of a head] of [N, L, features]."""
        split: Tensor = tokens.unflatten(2, (self.heads, -1)).transpose(1, 2)
        return split


def _projection(dense: Any) -> nn.Linear:
    """[features, heads, features of a head] of Keras as a fully connected layer."""
    bias = getattr(dense, "bias", None)
    return linear(values(dense.kernel).flatten(1).t(), None if bias is None else values(bias).flatten())


@builds("MultiHeadAttention")
def multi_head_attention(call: Call) -> Converted:
    """Attention of tokens over tokens, without a mask."""
    layer = call.layer
    if any(axes.rank != 3 for axes in call.inputs) or len(call.inputs) > 3:
        raise NotConverted("is attention over tensors that are no tokens")
    if call.options.get("use_causal_mask") or call.options.get("return_attention_scores"):
        raise NotConverted("is attention with a mask or with its scores as a result")
    if any(call.options.get(name) is not None for name in ("attention_mask", "query_mask", "value_mask", "key_mask")):
        raise NotConverted("is attention with a mask")
    kernel = values(layer.output_dense.kernel)  # [heads, features of a head, out]
    bias = getattr(layer.output_dense, "bias", None)
    output = linear(kernel.flatten(0, 1).t(), None if bias is None else values(bias))
    query, key, value = (_projection(dense) for dense in (layer.query_dense, layer.key_dense, layer.value_dense))
    inputs = tuple(axes.plain() for axes in call.inputs)
    return Converted(Attention(kernel.shape[0], query, key, value, output), inputs, Axes.as_in_keras(call.output))
