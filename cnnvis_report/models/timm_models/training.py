"""What timm's train.py leaves in a checkpoint beside the weights: the architecture, and how pictures were prepared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cnnvis_report.models.checkpoints.safe_unpickle import Inert

PREPARED = ("img_size", "input_size", "in_chans", "crop_pct", "crop_mode", "mean", "std", "interpolation")


@dataclass(frozen=True)
class TrainingArguments:
    """What a checkpoint says of its training; nothing where it is of another script.

    architecture: as it was given to train.py. preparation: options that change what timm does to pictures.
    """

    architecture: str = ""
    preparation: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, content: object) -> "TrainingArguments":
        """Those of what a checkpoint holds; PyTorch's own example script keeps an architecture too, and no version."""
        if not isinstance(content, Mapping) or not isinstance(content.get("arch"), str) or "version" not in content:
            return cls()
        namespace = content.get("args")
        options = namespace.state if isinstance(namespace, Inert) else namespace
        options = options if isinstance(options, Mapping) else {}
        preparation = {key: options[key] for key in PREPARED if options.get(key) not in (None, "", 0)}
        return cls(content["arch"], preparation)
