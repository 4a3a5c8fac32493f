"""Networks of Hugging Face's transformers, from the folders that save_pretrained writes."""

from pathlib import Path

from cnnvis_report.models.folder_config import CONFIG, check_settings, read_config
from cnnvis_report.models.hugging_face.config import check_config, class_names, class_of, make_config
from cnnvis_report.models.hugging_face.detections import returning_boxes
from cnnvis_report.models.hugging_face.network import load_network, silent, unused
from cnnvis_report.models.hugging_face.preprocessing import processing_of, read_blue_last
from cnnvis_report.models.hugging_face.weights import read_weights
from cnnvis_report.models.input_channels import input_channels
from cnnvis_report.models.loader import ModelRequest, Way, loader
from cnnvis_report.models.model import Model

TENSORFLOW = "saved_model.pb"


def is_folder(model: str) -> bool:
    """Whether a text is a folder with config.json; a model of TensorFlow's may have one beside it."""
    try:
        return (Path(model) / CONFIG).is_file() and not (Path(model) / TENSORFLOW).exists()
    except (OSError, ValueError):
        return False


@loader(
    title="a folder of Hugging Face's transformers",
    example="path/to/folder with config.json and model.safetensors",
    matches=is_folder,
    order=14,
    requires=("transformers",),
    install="cnnvis-report[hf]",
    ways=(
        Way(
            "a classifier of transformers (`save_pretrained`, a fine-tuned ViT, Swin, ConvNeXt, …)",
            "FOLDER",
            "every tensor by name and shape; pixels as its image processor computes them, within 1e-4; no code of the "
            "folder runs",
        ),
        Way(
            "a segmentation network or detector of transformers (SegFormer, UperNet, DETR, YOLOS, RT-DETR, …)",
            "FOLDER",
            "the same; boxes are read by the image processor's own function",
        ),
    ),
)
def hugging_face(request: ModelRequest) -> Model:
    """Open a network of transformers from a folder; nothing is fetched, and no code in it is run."""
    folder = Path(request.text)
    settings = read_config(folder)
    check_config(folder, settings)
    request.refuse_weights(folder)
    with silent():
        kind, task = class_of(folder, settings)
    state, file = read_weights(folder)
    check_settings(folder / CONFIG, settings, len(state))
    with silent():
        config = make_config(folder, settings)
    network = load_network(folder, kind, config, state)
    processing = processing_of(folder, config, input_channels(network) or 3)
    if processing.reversed:
        read_blue_last(network)
    if task == "detection":
        returning_boxes(network, folder)
    name = folder.resolve().name
    notices = (*unused(network, state), *processing.notices)
    return Model(network, name, file, processing.preprocessing, class_names(config), notices=notices, task=task)
