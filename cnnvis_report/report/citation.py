"""How a run is cited: what a paper's appendix says of its settings, and BibTeX of the software and of the methods."""

import re
from collections.abc import Iterator, Mapping

from cnnvis_report import __version__
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.bibtex import bibliography, bibtex_key
from cnnvis_report.report.views import formatting as fmt

# as CITATION.cff has it; a test compares them
TITLE = "cnnvis-report: what a convolutional network looks at, as a site that opens offline"
AUTHOR, LICENSE = "cnnvis-report contributors", "MIT"
KEY = "cnnvisreport"
OPENING = "were computed with cnnvis-report "
SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


def software_entry(version: str) -> str:
    """The BibTeX entry of this program in the version that computed the maps."""
    number = re.sub(r"[^\w.+-]", "", version).replace("_", "-")  # a stranger's run may say anything
    fields = {"author": f"{{{AUTHOR}}}", "title": f"{{{TITLE}}}", "version": number, "license": LICENSE}
    lines = [f"  {name} = {{{value}}},\n" for name, value in fields.items()]
    return f"@software{{{KEY},\n{''.join(lines)}}}\n"


def references(run: RunRecord) -> str:
    """The BibTeX entries of the program and of the methods that gave maps."""
    return f"{software_entry(_version(run))}\n{bibliography(used_methods(run))}"


def used_methods(run: RunRecord) -> list[MethodInfo]:
    """The methods that the network has maps of."""
    missing = {gap.method for gap in run.not_applicable if not gap.layer and gap.target is None}
    return [method for method in run.methods if method.name not in missing]


def appendix(run: RunRecord, *, latex: bool = False) -> str:
    """What an appendix says of how the maps were computed, as one paragraph.

    Args:
        latex: with commands that cite the entries of `references`, and LaTeX's special characters escaped.
    """
    return " ".join(_sentences(run, latex))


def _sentences(run: RunRecord, latex: bool) -> Iterator[str]:
    text = _escaped if latex else str
    network = run.network
    torch = _versions(run).get("torch")
    library = text(f" on PyTorch {torch}" if torch else "")
    on = text(f" on {fmt.count(run.images, 'image')}") if run.images or run.methods else ""
    cited = rf"~\cite{{{KEY}}}" if latex else ""
    yield (
        f"{'Maps' if run.methods else 'Pictures of layers'} {OPENING}{text(_version(run))}"
        f"{cited}{library} for {text(network.name)} ({text(fmt.number(network.parameters))} parameters; weights: "
        f"{text(network.weights)}){on}."
    )
    yield text(f"Preprocessing: {network.preprocessing}.")
    if not run.methods:
        return
    yield text(f"Maps explain {network.scores}{_classes(run)}.")
    yield f"Methods: {'; '.join(_method(run, method, latex) for method in used_methods(run))}."
    yield text(f"Random seed: {run.settings.get('seed', 0)}. Fingerprint of the run: {run.fingerprint}.")


def _classes(run: RunRecord) -> str:
    """Such as " of the 3 classes of the highest scores"; empty where classes were named."""
    classes, noun = str(run.settings.get("classes", "")), fmt.column(run.network.kind)
    if classes == "label":
        return " of the label"
    count = classes.removeprefix("top:")
    if not count.isdecimal():
        return ""
    return (
        f" of the {noun} of the highest score"
        if int(count) == 1
        else (f" of the {fmt.columns(int(count), run.network.kind)} of the highest scores")
    )


def _method(run: RunRecord, method: MethodInfo, latex: bool) -> str:
    """Such as "SmoothGrad (n = 50, sigma = 0.1; Smilkov et al. 2017, arXiv:1706.03825)"."""
    text = _escaped if latex else str
    options = []
    for name, value in method.options.items():
        shown = (run.network.default_layer if name == "layer" else "") if value == "" else value
        if shown != "":
            options.append(f"{name} = {shown}")
    key = bibtex_key(method)
    source = (rf"\cite{{{key}}}" if latex else method.source) if key else ""
    details = "; ".join(filter(None, (text(", ".join(options)), source)))
    return f"{text(method.title)} ({details})" if details else text(method.title)


def _version(run: RunRecord) -> str:
    return str(_versions(run).get("cnnvis-report", __version__))


def _versions(run: RunRecord) -> Mapping[str, object]:
    versions = run.provenance.get("versions")
    return versions if isinstance(versions, Mapping) else {}


def _escaped(text: str) -> str:
    """Text that LaTeX takes for no command."""
    return re.sub(r"[\\~^&%$#_{}]", lambda match: SPECIAL.get(match[0], f"\\{match[0]}"), text)
