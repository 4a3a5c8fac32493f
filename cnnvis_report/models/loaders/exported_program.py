"""Networks as torch.export.save writes them, with their modules."""

from pathlib import Path

import torch

from cnnvis_report.data.preprocessing.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from cnnvis_report.errors import BadRequest, told
from cnnvis_report.models.exported_programs.archive import is_program, safe_copy
from cnnvis_report.models.loader import ModelRequest, Way, loader
from cnnvis_report.models.model import Model
from cnnvis_report.models.quiet import quiet

SIDE = 224


def _is_program(model: str) -> bool:
    path = Path(model)
    return path.is_file() and is_program(path)


@loader(
    title="a program of torch.export",
    example="network.pt2",
    matches=_is_program,
    order=17,
    ways=(Way("a program of torch.export", "network.pt2", "that images don't change each other's scores"),),
)
def exported_program(request: ModelRequest) -> Model:
    """Open a file of torch.export.save, looked over before it is loaded, as the modules that it was made from."""
    from cnnvis_report.models.exported_programs.modules import free_batch, image_sides, modules_of

    path = Path(request.text)
    request.refuse_weights(path.name)
    copy = safe_copy(path, request)
    try:
        with quiet():
            program = torch.export.load(copy)
            inputs = len(program.graph_signature.user_inputs)
            sides = image_sides(program) if inputs == 1 else []
            if len(sides) == 4:
                free_batch(program)
                network = modules_of(program)
    except Exception as error:  # of any type: a stranger's file
        raise BadRequest(f"{path}: PyTorch can't load it as a program of torch.export ({told(error)}).") from error
    if len(sides) != 4:
        reads = f"{inputs} inputs" if inputs != 1 else f"{len(sides)} dimensions"
        raise BadRequest(f"{path}: reads {reads}; one input of images, N × channels × height × width, is needed.")
    known = Preprocessing(IMAGENET_MEAN, IMAGENET_STD, resize=(sides[2] or SIDE, sides[3] or SIDE))
    notice = (
        f"{path.name} doesn't say how images are normalized: ImageNet's mean and std are taken, and --mean and --std "
        f"change that."
    )
    return Model(network, path.stem, path.name, known.with_channels(sides[1] or 3), None, notices=(notice,))
