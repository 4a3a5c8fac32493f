"""Which of the tensors in a checkpoint are a network's: under which key, behind which prefix, and what is left over."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor

from cnnvis_report.data.image_file import several
from cnnvis_report.models.checkpoints.candidates import Candidate, State, says_averaged
from cnnvis_report.models.checkpoints.reparametrized import put_together

Expected = Mapping[str, Tensor]

# what wrappers of modules leave in the middle of names
WRAPPED = ("_orig_mod", "_forward_module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "module")
# prefixes that are taken off where no network says which
PREFIXES = ("module", "model", "net", "network", "backbone", "encoder", "student", "online", "ema_model", "teacher")
TRAINED_ALONE = ("student", "online", "encoder_q")  # of two networks that fit alike, the one that was trained
BESIDE = re.compile(
    r"(^|[._])(criterion|loss|losses|loss_fn|metrics?|optimizers?|optim|scheduler|acc|accuracy|f1|auroc|confmat|scaler"
    r"|n_averaged|num_updates|num_ema_updates|decay|initted|step|epoch|total_ops|total_params|ema\w*)([._]|$)"
)
CONTRASTIVE = {"queue", "queue_ptr"}  # of MoCo


@dataclass(frozen=True)
class Match:
    """What a network is given: its tensors by its own names.

    key, prefix: where they stood. others: prefixes and keys that would have done as well. left: names of tensors that
    are no part of the network. strangers: those among them that may belong to another network. beside: the tensors
    that stand outside the prefix. changes: what was done to the tensors, a sentence each.
    """

    state: State
    key: str = ""
    prefix: str = ""
    averaged: bool = False
    others: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    filled: int = 0
    beside: State = field(default_factory=dict)
    changes: tuple[str, ...] = ()

    def notices(self, file: str) -> tuple[str, ...]:
        """What a user has to know of the choice, a sentence each."""
        notices = list(self.changes)
        where = ".".join(part for part in (self.key, self.prefix.rstrip(".")) if part)
        if self.averaged:
            also = f"; {self.filled} tensors without an average are the last ones" if self.filled else ""
            others = f"; {file}#{self.others[0]} chooses the others" if self.others else ""
            notices.append(f"Averaged weights ({where}) are used{also}{others}.")
        elif self.others:
            fitting = ", ".join(f"{file}#{other}" for other in self.others[:4])
            notices.append(f"The weights of {where or 'the file itself'} are used; {fitting} would fit as well.")
        if set(map(_last, self.left)) >= CONTRASTIVE:
            notices.append(f"{file} is of contrastive training (MoCo): what its last layer gives are no classes.")
        if self.left:
            notices.append(f"{file} holds {_tensors(len(self.left))} beside: {several(list(self.left))}.")
        return tuple(notices)


def match(candidates: list[Candidate], expected: Expected) -> Match:
    """The candidate, and the prefix in it, by which most of the network's tensors are there by name and shape."""
    candidates = [whole(candidate, expected) for candidate in candidates]
    scored = [
        (count, index, prefix, candidate)
        for index, candidate in enumerate(candidates)
        for prefix, count in prefixes(candidate.state, expected).most_common()
    ]
    best = max((count for count, *_ in scored), default=0)
    if 2 * best < len(expected):  # another network's: they are shown as they are
        state = without_prefix(preferred(candidates).state)
        return Match(
            state, strangers=tuple(key for key in state if key not in expected), changes=preferred(candidates).notices
        )
    # what fits as well but for the statistics, which averages are often kept without, or a head
    alike = [entry for entry in scored if entry[0] >= best - _slack(expected, best)]
    count, _, prefix, chosen = min(alike, key=lambda entry: (-_preferred(entry[2], entry[3]), -entry[0], entry[1]))
    others = tuple(
        dict.fromkeys(
            _address(candidate.key, other)
            for number, _, other, candidate in alike
            if _address(candidate.key, other)
            if (other, candidate.key) != (prefix, chosen.key) and (number == count or _is_averaged(chosen, prefix))
        )
    )
    raw = next((entry for entry in scored if entry[0] == best), scored[0])
    return _matched(chosen, prefix, expected, others, (raw[3], raw[2]))


def whole(candidate: Candidate, expected: Expected) -> Candidate:
    """The same with whole weights where it has them in parts and the network hasn't."""
    state, notices = put_together(candidate.state, expected)
    return replace(candidate, state=state, notices=notices) if notices else candidate


def prefixes(state: State, expected: Expected) -> Counter[str]:
    """How many of the network's tensors are there behind each prefix, by name and shape."""
    counts: Counter[str] = Counter()
    for key, value in _clean(state, expected).items():
        start = 0
        while start >= 0:
            inner = expected.get(key[start:])
            if inner is not None and inner.shape == value.shape:
                counts[key[:start]] += 1
            start = key.find(".", start) + 1 or -1
    return counts


def without_prefix(state: State) -> State:
    """The tensors behind the prefix of a wrapper that most of them have, where nobody knows the network."""
    state = _clean(state, {})
    for prefix in PREFIXES:
        within = {key.removeprefix(f"{prefix}."): value for key, value in state.items() if key.startswith(f"{prefix}.")}
        if 2 * len(within) > len(state):
            return without_prefix(within)
    return state


def preferred(candidates: list[Candidate]) -> Candidate:
    """The averaged weights where there are any, else the likeliest; where nobody knows the network."""
    large = max(len(candidate.state) for candidate in candidates)
    whole = [candidate for candidate in candidates if 2 * len(candidate.state) >= large]
    return next((candidate for candidate in whole if candidate.averaged), whole[0])


def _matched(
    candidate: Candidate, prefix: str, expected: Expected, others: tuple[str, ...], raw: tuple[Candidate, str]
) -> Match:
    state = _clean(candidate.state, expected)
    within = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    averaged = _is_averaged(candidate, prefix)
    filled = {}
    if averaged:  # what isn't averaged, such as the statistics of batch norms, is as it was last
        source = {key.removeprefix(raw[1]): value for key, value in _clean(raw[0].state, expected).items()}
        filled = {key: source[key] for key in expected if key not in within and key in source}
    beyond = tuple(key for key in within if key not in expected)
    tops = {key.partition(".")[0] for key in expected}
    odd = tuple(key for key in beyond if not BESIDE.search(key) or key.partition(".")[0] in tops)
    odd = tuple(key for key in odd if key.rpartition(".")[2] not in ("total_ops", "total_params"))
    chosen = tuple(other for other in others if other)
    elsewhere = [key for key in state if not key.startswith(prefix)]
    elsewhere = [
        key for key in elsewhere if not key.startswith(tuple(f"{_last(other)}." for other in chosen) or ("\0",))
    ]
    left = tuple(key for key in (*beyond, *elsewhere) if key not in odd)
    matched = {key: value for key, value in within.items() if key in expected or key in odd}
    return replace(
        Match({**matched, **filled}, candidate.key, prefix, averaged, others),
        changes=candidate.notices,
        left=tuple(key for key in left if not key.endswith("n_averaged")),
        strangers=odd,
        beside={key: state[key] for key in elsewhere},
        filled=len([key for key in filled if not key.endswith("num_batches_tracked")]),
    )


def _clean(state: State, expected: Expected) -> State:
    """Names without what wrappers have left in their middle, where the network itself has no part of that name."""
    used = {part for key in expected for part in key.split(".")}
    drop = {name for name in WRAPPED if name not in used}
    return {".".join(part for part in key.split(".") if part not in drop) or key: value for key, value in state.items()}


def _slack(expected: Expected, best: int) -> int:
    """How many tensors less an averaged set may have: its statistics, and no more than half of what there is."""
    statistics = sum(key.endswith(("running_mean", "running_var", "num_batches_tracked")) for key in expected)
    return min(statistics, best // 2)


def _preferred(prefix: str, candidate: Candidate) -> int:
    if _is_averaged(candidate, prefix):
        return 2
    return int(prefix.rstrip(".").rpartition(".")[2] in TRAINED_ALONE)


def _is_averaged(candidate: Candidate, prefix: str) -> bool:
    return candidate.averaged or any(map(says_averaged, prefix.split(".")))


def _address(key: str, prefix: str) -> str:
    return ".".join(part for part in (key, prefix.rstrip(".")) if part)


def _last(address: str) -> str:
    return address.rpartition(".")[2]


def _tensors(count: int) -> str:
    return "1 tensor" if count == 1 else f"{count} tensors"
