"""Names of timm's networks, and which of timm's weights they stand for."""

from dataclasses import dataclass

from cnnvis_report.errors import BadRequest, UnknownName

PREFIX = "timm:"
HUB = ("hf-hub:", "hf_hub:")


@dataclass(frozen=True)
class TimmName:
    """An architecture of timm, and the tag of its weights; timm's first choice where it is empty."""

    architecture: str
    tag: str = ""

    def __str__(self) -> str:
        return f"{self.architecture}.{self.tag}" if self.tag else self.architecture


def read_name(text: str) -> TimmName:
    """What NAME or NAME.TAG stands for.

    Raises:
        UnknownName, BadRequest: timm has no such network, or no such weights of it.
    """
    import timm

    architecture, _, tag = text.partition(".")
    if not architecture:
        raise BadRequest(f"{PREFIX}{text}: give a name of timm, such as {PREFIX}convnext_tiny.fb_in1k.")
    if not timm.is_model(architecture):
        raise UnknownName(
            "model of timm",
            architecture,
            timm.list_models(),
            "timm.list_models('*part*') in Python lists those with a part in their name.",
        )
    tags = [name.partition(".")[2] for name in timm.list_pretrained(f"{architecture}.*")]
    if tag and tag not in tags:
        raise UnknownName(f"tag of timm's {architecture}", tag, tags)
    return TimmName(architecture, tag)
