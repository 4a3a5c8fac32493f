"""Looks over TorchScript: it can't call Python, but some of its operations read and write files, or reach a network.

Loading a file already runs what its modules do to be restored, so the text of its code is looked at first, and then the
operations of the whole graph, before images go through it.
"""

import re
from pathlib import Path
from typing import Any

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.checkpoints.torch_archives import names_in, opened_archive

# names that code may not have anywhere, as an operation's, a method's or within a text
REACH_OUTSIDE = {"from_file", "save", "load", "print", "Print", "fork", "rpc_async", "rpc_sync", "rpc_remote"}
# libraries of operations that code may not name; those of others are torch's own, and torchvision's
LIBRARIES = {"c10d", "c10d_functional", "rpc", "inductor", "profiler", "symm_mem", "fb", "fbgemm", "xnnpack", "cuda"}
LONGEST = 1 << 26  # bytes of code
WORD = re.compile(r"[A-Za-z_]\w*")

# what networks of images are made of
OPERATIONS = (
    "_convolution convolution conv1d conv2d conv3d conv_transpose2d linear addmm mm bmm matmul baddbmm t "
    "batch_norm layer_norm group_norm instance_norm local_response_norm native_layer_norm "
    "relu relu_ relu6 relu6_ leaky_relu leaky_relu_ elu elu_ selu selu_ celu celu_ gelu silu silu_ mish mish_ prelu "
    "hardtanh hardtanh_ hardswish hardswish_ hardsigmoid hardsigmoid_ sigmoid sigmoid_ tanh tanh_ softplus softsign "
    "softmax log_softmax log_sigmoid glu threshold threshold_ clamp clamp_ clamp_min clamp_max clip "
    "max_pool2d avg_pool2d adaptive_avg_pool2d adaptive_max_pool2d max_pool1d avg_pool1d adaptive_avg_pool1d "
    "upsample_nearest2d upsample_bilinear2d upsample_bicubic2d interpolate __interpolate grid_sampler "
    "dropout dropout_ feature_dropout feature_dropout_ alpha_dropout constant_pad_nd reflection_pad2d "
    "replication_pad2d pad pixel_shuffle pixel_unshuffle channel_shuffle "
    "add add_ sub sub_ rsub mul mul_ div div_ floor_divide remainder pow neg abs exp log sqrt rsqrt square reciprocal "
    "mean sum max min amax amin norm var std prod cumsum argmax topk erf sin cos floor ceil round sign where "
    "maximum minimum eq ne lt le gt ge logical_and logical_or logical_not bitwise_not masked_fill "
    "cat stack chunk split split_with_sizes unbind select slice narrow index index_select gather flatten reshape view "
    "reshape_as view_as permute transpose transpose_ squeeze squeeze_ unsqueeze unsqueeze_ expand expand_as repeat "
    "contiguous clone detach to type_as float int bool Bool Int Float size dim numel len roll flip tile movedim "
    "zeros ones full zeros_like ones_like full_like empty arange tensor scalar_tensor new_zeros new_ones new_full "
    "append format warn is_floating_point scaled_dot_product_attention einsum outer copy_ fill_ zero_ "
    "__getitem__ __is__ __isnot__ __not__ __contains__ __and__ __or__ __derive_index __range_length "
    "ScalarImplicit FloatImplicit IntImplicit list unflatten item device dtype values keys sorted floordiv"
)


def is_script(path: Path) -> bool:
    """Whether a file is an archive of torch.jit.save, by the names in it."""
    ends = {name.partition("/")[2] for name in names_in(path)}
    return "constants.pkl" in ends and any(name.startswith("code/") for name in ends)


def unsafe_word(path: Path) -> str:
    """What in a file's code could reach out of the network, in words; empty where nothing could.

    Raises:
        BadRequest: it can't be read.
    """
    with opened_archive(path) as archive:
        code = [entry for entry in archive.infolist() if entry.filename.endswith(".py")]
        if sum(entry.file_size for entry in code) > LONGEST:
            raise BadRequest(f"{path}: has more code than a network has.")
        words = {word for entry in code for word in WORD.findall(archive.read(entry).decode("utf-8"))}
    unsafe = sorted(words & (REACH_OUTSIDE | LIBRARIES))
    return f"its code, which names {unsafe[0]!r}," if unsafe else ""


def unknown_operation(script: Any) -> str:
    """An operation of a loaded script that networks of images don't have, in words; empty where there is none."""
    graph = script.inlined_graph  # held: its nodes are gone with it
    known = set(OPERATIONS.split())
    waiting = [graph]
    while waiting:
        for node in waiting.pop().nodes():
            library, _, name = node.kind().partition("::")
            if library == "prim" and name in ("Print", "fork", "forkClosure", "PythonOp", "CallFunction"):
                return f"its operation {node.kind()}"
            if library not in ("aten", "prim", "torchvision") or (library == "aten" and name not in known):
                return f"its operation {node.kind()}"
            waiting += node.blocks()
    return ""
