"""The random logit test: does a map change when it explains another class?"""

import torch


def other_class(target: int, classes: int, generator: torch.Generator) -> int:
    """One of the classes that aren't the target, all with the same probability.

    Args:
        classes: how many there are, 2 at least.

    Source: Sixt et al. 2020, arXiv:1912.09818.
    """
    drawn = int(torch.randint(classes - 1, (1,), generator=generator))
    return drawn + (drawn >= target)
