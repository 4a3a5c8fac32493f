"""Class scores as maps: what each position of the last feature maps votes for every class."""

import torch
from torch import Tensor

from cnnvis_report.engine.tape import Tape


def class_maps(tape: Tape) -> Tensor:
    """[N, classes, h, w]: the score of every class at every position, before it is averaged over the image.

    L_c = sum_k w_kc A_k, A the maps that are averaged and w the weight of the layer that makes scores of the averages;
    the mean of a map is the logit without the bias. Source: Zhou et al. 2016, arXiv:1512.04150.

    Raises:
        NotApplicable: the network doesn't end in global average pooling.
    """
    maps, weight = tape.score_layer()
    return torch.einsum("ck,nkhw->nchw", weight, maps)
