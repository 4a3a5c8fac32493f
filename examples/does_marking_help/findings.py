"""What the numbers say, in sentences that are worked out from them."""

from collections import Counter

from measure import LEARNED, Look
from results import CONTROL, UNIT, Results, called, on_average, percent

GUESSING = 0.5  # two classes, in turn
MUCH, LITTLE = 0.9, 0.2  # of what a network knows beyond guessing
CLEARLY = 1.25  # times as much


def findings(results: Results) -> list[str]:
    """A paragraph a finding, the answer to the question first."""
    makers = (_marked, _patch, _misleading, _drawings, _line, _decoys, _methods, _speed, _empty)
    return [sentence for make in makers if (sentence := make(results))]


def _marked(results: Results) -> str:
    plain, own, bare = (
        results.accuracy(*each) for each in (("gray", "gray"), ("marked", "marked"), ("marked", "gray"))
    )
    if own - GUESSING < 0.1:
        verdict = "It hasn't learned its task."
    elif _kept(bare, own) >= MUCH:
        verdict = "It knows the thing without its mark too."
    elif _kept(bare, own) <= LITTLE:
        verdict = "It learned the mark instead of the thing."
    else:
        verdict = "Much of what it learned was the mark, and not the thing."
    return (
        f"Trained with the patch outlined, the network answers {percent(own)} right while the outline is there and "
        f"{percent(bare)} without it; the network trained without any mark, {percent(plain)}. {verdict}"
    )


def _patch(results: Results) -> str:
    plain, marked, bare = (results.look(*each) for each in (("gray", "gray"), ("marked", "marked"), ("marked", "gray")))
    means = [on_average(look) for look in (plain, marked, bare)]
    if not all(means):
        return ""
    on, rim = ([percent(each[region]) for each in means] for region in ("patch", "outline"))
    times = means[1]["outline"] / means[0]["outline"] if means[0]["outline"] else 0
    verdict = "draws the network to the outline" if times > CLEARLY else "doesn't draw the network to the outline"
    return (
        f"Marking {verdict}: it puts {on[1]} of its positive relevance on the patch, {rim[1]} on the outline alone; "
        f"the network trained without any mark puts {on[0]} on the patch, {rim[0]} on the rim where the outline would "
        f"be. Where the outline is missing, the one trained with it has {on[2]} left on the patch, {rim[2]} on the "
        f"rim. The patch covers {percent(plain.area['patch'])} of the picture, its rim "
        f"{percent(plain.area['outline'])}. (Means over the methods, here and below.)"
    )


def _misleading(results: Results) -> str:
    own, bare, conflict = (results.accuracy("misleading", each) for each in ("misleading", "gray", "conflict"))
    look = results.look("misleading", "misleading")
    if own - GUESSING < 0.1:
        verdict = "It hasn't learned its task"
    elif _kept(conflict, own) >= MUCH:
        verdict = "It didn't take the short way that the mark offers"
    elif conflict < GUESSING:
        verdict = "It goes by the mark, against the patch"
    else:
        verdict = "The mark has a say in its answers"
    return (
        f"Trained with a mark that goes with the class in four of five pictures, the network answers {percent(own)} "
        f"right, {percent(bare)} without any mark, and {percent(conflict)} where the mark is the other class's. "
        f"{verdict}: the mark gets {_beside_chance(look, 'mark')}."
    )


def _drawings(results: Results) -> str:
    names = ("annotated", "shift")
    own, bare = ([percent(results.accuracy(name, each or name)) for name in names] for each in ("", "gray"))
    return (
        f"Trained on drawings of what matters, annotated and shift, networks answer {' and '.join(own)} of such "
        f"drawings right, and {' and '.join(bare)} of gray scenes, where guessing gives {percent(GUESSING)}."
    )


def _line(results: Results) -> str:
    looks = sorted((look for look in results.looks if on_average(look)), key=lambda look: on_average(look)["line"])
    if not looks:
        return ""
    least, most = looks[0], looks[-1]
    return (
        f"The class is about the thick line as much as about the patch. The line covers {percent(most.area['line'])} "
        f"of the picture and gets from {percent(on_average(least)['line'])} ({called(least)}) to "
        f"{percent(on_average(most)['line'])} ({called(most)})."
    )


def _decoys(results: Results) -> str:
    looks = [look for look in results.looks if "decoys" in on_average(look)]
    looks.sort(key=lambda look: on_average(look)["decoys"])
    if not looks:
        return ""
    least, most = looks[0], looks[-1]
    return (
        f"The decoys, which say nothing, get least in the maps of {called(least)}, {_beside_chance(least, 'decoys')}, "
        f"and most in those of {called(most)}, {_beside_chance(most, 'decoys')}."
    )


def _methods(results: Results) -> str:
    look = results.look("gray", "gray")
    times = {each.title: each.on["patch"] / look.area["patch"] for each in look.shares if each.on}
    control = next((each.title for each in look.shares if each.method == CONTROL), "")
    noise = times.pop(control, None)
    if not times:
        return ""
    best, worst = max(times, key=times.__getitem__), min(times, key=times.__getitem__)
    known = f"; {control}, which knows nothing, {noise:.1f} times" if noise is not None else ""
    return (
        f"Of one and the same network, trained on gray, {best} puts on the patch {times[best]:.1f} times what chance "
        f"would, and {worst} {times[worst]:.1f} times{known}."
    )


def _speed(results: Results) -> str:
    epochs = [f"{network.learned or 'none'} ({network.name})" for network in results.networks]
    return f"The first epoch that had {LEARNED * 100:.0f}{UNIT} of the validation images right: {', '.join(epochs)}."


def _empty(results: Results) -> str:
    """Maps that say nothing, which aren't in the means."""
    empty: Counter[str] = Counter()
    for look in results.looks:
        empty.update({each.title: look.images - each.maps for each in look.shares if each.maps < look.images})
    images = sum(look.images for look in results.looks)
    said = ", ".join(f"{title} {count} of {images}" for title, count in empty.items())
    return f"Maps without any positive value, left out of the means: {said}." if said else ""


def _beside_chance(look: Look, region: str) -> str:
    """How much relevance a region gets, beside what chance would give."""
    share, area = on_average(look).get(region), look.area.get(region)
    if share is None or area is None:
        return "nothing that could be measured"
    times = share / area
    word = "more than chance" if times > CLEARLY else "less than chance" if times < 1 / CLEARLY else "about chance"
    return f"{percent(share)} of the positive relevance on {percent(area)} of the picture ({word})"


def _kept(now: float, before: float) -> float:
    """How much of what a network knows beyond guessing it still knows."""
    return (now - GUESSING) / (before - GUESSING)
