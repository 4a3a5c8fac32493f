"""Every row of the table of ways to hold a network has a test that goes that way, and its command parses."""

import ast
import shlex
from pathlib import Path

import click
import pytest
import torch

from cnnvis_report.cli.main import cli
from cnnvis_report.models.load import load_model
from cnnvis_report.models.loader import Way, loaders
from tests.models.test_lightning import plain
from tests.narrow import needs_programs

TESTS = Path(__file__).parents[1]
WAYS = [way for entry in loaders() if entry.load.__module__.startswith("cnnvis_report.") for way in entry.ways]
every_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.held_as)
# by row, a test that holds a network so: file and name; a row without one fails below
TRIED = {
    row: (file, test)
    for row, file, test in (
        ("a classifier of torchvision", "models/test_load.py", "downloaded_weights_bring_names_and_preprocessing"),
        (
            "a segmentation network of torchvision",
            "models/torchvision_models/test_torchvision_dense.py",
            "a_name_is_enough",
        ),
        ("a detector of torchvision", "models/torchvision_models/test_torchvision_dense.py", "a_name_is_enough"),
        (
            "a state dict for one of these",
            "models/torchvision_models/test_torchvision_dense.py",
            "weights_of_a_file_decide_the_classes",
        ),
        ("a state dict for one, `.pth` or `.pt`", "models/test_load.py", "the_number_of_classes_is_read_from_the_head"),
        ("the same as `.safetensors`", "models/test_load.py", "safetensors_are_known_by_their_content"),
        (
            "a checkpoint of a training script, by whatever key",
            "models/test_load.py",
            "a_state_dict_is_found_however_it_is_wrapped",
        ),
        (
            "a checkpoint of several networks, or averaged ones",
            "models/checkpoints/test_averaged_weights.py",
            "averaged_weights_come_first_and_it_is_said",
        ),
        (
            "a state dict of a fastai learner, `learn.save()`",
            "models/torchvision_models/test_fastai.py",
            "a_learner_is_loaded_as_what_it_is",
        ),
        (
            "a model of timm",
            "extras/timm/test_timm_models.py",
            "an_untrained_network_needs_no_weights_and_changes_no_random_numbers",
        ),
        (
            "a checkpoint for one, of timm's train.py or your own",
            "extras/timm/test_timm_models.py",
            "a_checkpoint_of_train_py_brings_averaged_weights_and_its_preprocessing",
        ),
        (
            "a folder that timm has written (`save_for_hf`, `push_to_hf_hub`)",
            "extras/timm/test_timm_models.py",
            "a_folder_of_timm_opens_with_its_labels_and_arguments",
        ),
        (
            "a model on the Hugging Face hub",
            "extras/timm/test_timm_models.py",
            "what_lies_in_the_cache_is_used_without_a_hub",
        ),
        (
            "a classifier of transformers (`save_pretrained`, a fine-tuned ViT, Swin, ConvNeXt, …)",
            "extras/hf/test_folders.py",
            "pixels_and_scores_are_those_of_the_library",
        ),
        (
            "a segmentation network or detector of transformers (SegFormer, UperNet, DETR, YOLOS, RT-DETR, …)",
            "extras/hf/test_dense_folders.py",
            "boxes_are_those_of_the_library",
        ),
        ("a model of Keras 3, `.keras`", "extras/keras/test_layers.py", "a_layer_on_grids_computes_what_keras_does"),
        (
            "a model of Keras 2 or 3, `.h5` or `.hdf5`",
            "extras/keras/test_keras2.py",
            "a_sequential_model_computes_what_its_weights_say",
        ),
        (
            "weights of Keras, `.weights.h5`, and the model's JSON",
            "extras/keras/test_keras2.py",
            "weights_alone_go_with_the_description_beside_them",
        ),
        (
            "an ONNX graph, opsets 9 to 21",
            "extras/onnx/test_onnx_file.py",
            "a_graph_of_any_opset_takes_any_number_of_images",
        ),
        ("a program of torch.export", "models/test_ways.py", "a_program_of_torch_export_is_the_network_again"),
        ("TorchScript, traced or scripted", "extras/onnx/test_script.py", "a_script_is_the_network_again"),
        (
            "a Lightning checkpoint of a known architecture",
            "models/test_lightning.py",
            "another_loader_opens_the_architecture_that_is_named",
        ),
        (
            "a Lightning checkpoint and its class",
            "extras/lightning/test_fitted.py",
            "the_fitted_network_is_the_one_that_is_opened",
        ),
        (
            "a whole network, `torch.save(network)`",
            "models/test_pickled_networks.py",
            "every_form_is_refused_with_its_classes_and_opened_where_it_is_trusted",
        ),
        (
            "a fastai learner, `learn.export()`",
            "models/test_pickled_networks.py",
            "a_learner_says_classes_and_preprocessing",
        ),
        ("a model that was trained here", "models/test_trained_file.py", "a_model_comes_back_as_it_was_written"),
        (
            "a file of weights, and what it is of",
            "models/test_lightning.py",
            "weights_and_an_architecture_by_option_are_a_network_too",
        ),
        (
            "a class or a function that makes the network",
            "models/own_code/test_factories.py",
            "a_function_a_class_or_a_network_by_module_or_path",
        ),
        ("one that takes arguments", "models/own_code/test_arguments.py", "the_command_line_gives_them_to_a_class"),
        (
            "a function that gives the network and a dictionary of its use",
            "models/own_code/test_network_attributes.py",
            "a_run_uses_transform_layer_and_task",
        ),
        (
            "a network that a module holds",
            "models/own_code/test_factories.py",
            "a_function_a_class_or_a_network_by_module_or_path",
        ),
        ("a class of your own and a file of its weights", "models/test_load.py", "a_factory_takes_weights"),
    )
}


@every_way
def test_a_row_has_a_test(way: Way) -> None:
    assert way.held_as in TRIED, "name a test of it in TRIED"
    file, test = TRIED[way.held_as]
    names = [node.name for node in ast.parse((TESTS / file).read_text()).body if isinstance(node, ast.FunctionDef)]
    assert f"test_{test}" in names


def test_rows_are_told_apart_by_what_is_held() -> None:
    assert sorted(way.held_as for way in WAYS) == sorted(TRIED)


@every_way
def test_the_command_of_a_row_parses(way: Way) -> None:
    model, *options = shlex.split(way.command)
    assert model and not model.startswith("-")
    known = {name for option in cli.commands["run"].params if isinstance(option, click.Option) for name in option.opts}
    assert {word for word in options if word.startswith("-")} <= known


@needs_programs
@pytest.mark.filterwarnings("ignore")
def test_a_program_of_torch_export_is_the_network_again(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, images = plain(5).eval(), torch.rand(2, 3, 8, 8)
    batch = {0: torch.export.Dim("batch", min=1, max=64)}
    torch.export.save(torch.export.export(network, (images,), dynamic_shapes=(batch,)), tmp_path / "network.pt2")
    torch.testing.assert_close(load_model(str(tmp_path / "network.pt2")).network(images), network(images))
