r"""Formulas in the notation of LaTeX as MathML, which browsers set without a script.

The part of the notation that formulas of methods need: letters, numbers, _ and ^, \frac, \binom, \sqrt, \operatorname,
\text, \sum and its kin, brackets that grow with what they hold, Greek letters and signs. What isn't known is shown as
it is written.
"""

import re

from markupsafe import Markup

from cnnvis_report.report.charts.svg import element

TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\d+(?:\.\d+)?|\S|\s+")
GREEK_NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho final sigma tau upsilon "
    "phi chi psi omega"
)
GREEK = {name: chr(code) for code, name in enumerate(GREEK_NAMES.split(), start=0x3B1)} | {
    "Gamma": "Γ", "Delta": "Δ", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
SIGNS = {
    "partial": "∂", "nabla": "∇", "odot": "⊙", "cdot": "·", "times": "×", "sim": "∼", "in": "∈", "le": "≤", "ge": "≥",
    "ne": "≠", "approx": "≈", "to": "→", "mid": "∣", "infty": "∞", "ldots": "…", "subseteq": "⊆", "setminus": "∖",
    "cup": "∪", "pm": "±", "propto": "∝",
}  # fmt: skip
LARGE = {"sum": "∑", "prod": "∏", "int": "∫"}
NAMED = ("max", "min", "exp", "log", "cos", "sin", "argmax", "argmin")
SPACES = {"quad": "1em", "qquad": "2em", ",": "0.17em", ";": "0.28em"}
BRACKETS = {"(": ")", "[": "]", r"\lvert": r"\rvert", r"\lVert": r"\rVert", r"\{": r"\}"}
FENCES = {r"\lvert": "|", r"\rvert": "|", r"\lVert": "‖", r"\rVert": "‖", r"\{": "{", r"\}": "}"}
IGNORED = (r"\left", r"\right")


def mathml(formula: str) -> Markup:
    """A formula as a block of MathML, with its source as the text for readers that don't know MathML."""
    tokens = [token for token in TOKEN.findall(formula) if token not in IGNORED]
    return element("math", _Parser(tokens).row(), display="block", alttext=formula)


class _Parser:
    """Reads tokens from the front."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens[::-1]

    def row(self, end: str = "") -> Markup:
        """What follows up to `end`, which is read too, or up to the end of the formula."""
        items = []
        while self.tokens and self.tokens[-1] != end:
            if self.tokens[-1].isspace():
                self.tokens.pop()
            else:
                items.append(self.scripted())
        if self.tokens:
            self.tokens.pop()
        return items[0] if len(items) == 1 else element("mrow", *items)

    def scripted(self) -> Markup:
        """One thing with what stands below and above it."""
        limits = self.tokens[-1].lstrip("\\") in {"sum", "prod", *NAMED}
        base, below, above = self.atom(), None, None
        while self._skip_spaces() in ("_", "^"):
            if self.tokens.pop() == "_":
                below = self.argument()
            else:
                above = self.argument()
        if below is not None and above is not None:
            return element("munderover" if limits else "msubsup", base, below, above)
        if below is not None:
            return element("munder" if limits else "msub", base, below)
        return base if above is None else element("mover" if limits else "msup", base, above)

    def argument(self) -> Markup:
        """What is in braces, or the next thing alone."""
        if self._skip_spaces() == "{":
            self.tokens.pop()
            return self.row("}")
        return self.atom() if self.tokens else element("mrow")

    def atom(self) -> Markup:
        """The next thing without what stands below and above it."""
        token = self.tokens.pop()
        if token == "{":
            return self.row("}")
        if token in BRACKETS:
            inside, closing = self.row(BRACKETS[token]), BRACKETS[token]
            fences = (element("mo", FENCES.get(sign, sign), fence="true") for sign in (token, closing))
            opened, closed = fences
            return element("mrow", opened, inside, closed)
        if token.startswith("\\"):
            return self.command(token[1:])
        if token[0].isdigit():
            return element("mn", token)
        return element("mi", token) if token.isalpha() else element("mo", {"-": "−", "*": "∗"}.get(token, token))

    def command(self, name: str) -> Markup:
        """What a command means."""
        if name == "frac":
            return element("mfrac", self.argument(), self.argument())
        if name == "binom":
            inside = element("mfrac", self.argument(), self.argument(), linethickness="0")
            return element("mrow", element("mo", "("), inside, element("mo", ")"))
        if name == "sqrt":
            return element("msqrt", self.argument())
        if name == "bar":
            return element("mover", self.argument(), element("mo", "¯"))
        if name in ("operatorname", "mathrm"):
            return element("mi", self.words(), mathvariant="normal")
        if name == "text":
            return element("mtext", self.words())
        if name in SPACES:
            return element("mspace", width=SPACES[name])
        if name in GREEK:
            return element("mi", GREEK[name])
        if name in NAMED:
            return element("mi", name)
        if name in LARGE or name in SIGNS:
            return element("mo", LARGE.get(name, "") or SIGNS[name])
        return element("mtext", f"\\{name}")

    def words(self) -> str:
        """What is in braces, as it is written."""
        text = ""
        if self._skip_spaces() == "{":
            self.tokens.pop()
            while self.tokens and self.tokens[-1] != "}":
                text += self.tokens.pop()
            if self.tokens:
                self.tokens.pop()
        return text

    def _skip_spaces(self) -> str:
        while self.tokens and self.tokens[-1].isspace():
            self.tokens.pop()
        return self.tokens[-1] if self.tokens else ""
