"""The title of a report: the one that was asked for, or one that names the network and the images."""

from cnnvis_report.data.split_names import is_part, part_of
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.views import formatting as fmt

OWN = "small"  # the architecture of our own, whose name alone reads as a word


def title_of(run: RunRecord) -> str:
    """Such as "What resnet50 looks at in photos", or "Features of resnet50 in photos"."""
    title = run.settings.get("title")
    if title:
        return str(title)
    who, where = _who(run), _where(run)
    return f"What {who} looks at{where}" if run.methods else f"Features of {who}{where}"


def _who(run: RunRecord) -> str:
    """The network's name; of one that was trained here, which is that of its architecture, what it was trained on."""
    name, training = run.network.name, run.training
    if training is None or name != str(training.settings.get("arch", "")).partition(",")[0]:
        return name
    folder, _, part = training.data.rpartition("/")
    data = folder if is_part(part) else training.data
    return f"{f'the {name} network' if name == OWN else name}{f' trained on {data}' if data else ''}"


def _where(run: RunRecord) -> str:
    """Such as " in photos", or of a part of a set " in test images"; empty where images came from nothing with a name.

    Images of the folder that the network was trained on are named once.
    """
    sources = run.settings.get("images")
    names = [str(name) for name in sources if name != "."] if isinstance(sources, list | tuple) else []
    if not names or (run.training is not None and names == [run.training.data]):
        return ""
    names[0] = f"{part_of(names[0])} images" if is_part(names[0]) else names[0]
    return f" in {fmt.first_of(names, 1)}"
