"""How much work a run may take: the words of `--effort`, from the least to the most."""

EFFORTS = ("low", "medium", "high", "max")
AS_DEFINED = "max"  # methods as their papers or their own defaults say
