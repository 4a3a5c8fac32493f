"""Every row of the table of ways to hold images has a test that goes that way, and its command parses."""

import ast
import shlex
from pathlib import Path

import click
import pytest

from cnnvis_report.cli.main import cli
from cnnvis_report.data.collection import ImageWay
from cnnvis_report.data.ways import image_ways

TESTS = Path(__file__).parents[1]
WAYS = [way for way, _ in image_ways()]
every_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.held_as)
TABLES, PARQUET = "data/tables/test_tables.py", "extras/parquet/test_parquet.py"
FOLDERS, STORES = "extras/parquet/test_dataset_folder.py", "extras/remote/test_stores.py"
ONE_TABLE = (TABLES, "one_table_in_every_form")
# by row, a test that holds images so: file and name; a row without one fails below
TRIED = {
    "image files": ("data/test_image_set.py", "formats"),
    "a folder with one for each class": ("data/test_image_set.py", "labels"),
    "the same of classes that nobody has named, as ImageFolder and Keras read it": (
        *("data/discovery/test_split_folders.py", "classes_in_alphabetical_order_are_those_of_the_part"),
    ),
    "folders `train`, `val` and `test` of these": (
        *("data/discovery/test_split_folders.py", "a_part_is_a_folder_of_that_name"),
    ),
    "masks of what decides the class": (
        "pipeline/stages/test_masks.py",
        "masks_of_ones_own_say_where_maps_should_point",
    ),
    "a Dataset, a DataLoader or a list in a module": (
        *("pipeline/test_own_datasets.py", "its_samples_are_the_images"),
    ),
    "a function that gives one": ("pipeline/test_own_datasets.py", "its_samples_are_the_images"),
    "a data set of torchvision on the disk": (
        *("data/collections/test_torchvision_dataset.py", "pictures_and_labels_are_those_of_torchvision"),
    ),
    "Oxford-IIIT Pet": ("data/collections/test_torchvision_dataset.py", "masks_of_pets_are_their_trimaps"),
    "CIFAR-10 or CIFAR-100, for Python": (
        *("data/arrays/test_cifar_and_mnist.py", "batches_for_python_are_read_without_being_run"),
    ),
    "CIFAR-10 or CIFAR-100, binary": ("data/arrays/test_cifar_and_mnist.py", "binary_batches_are_read"),
    "MNIST and its kin, IDX, also `.gz`": ("data/arrays/test_cifar_and_mnist.py", "files_of_mnist_are_read"),
    "a Hugging Face dataset, `save_to_disk`": (FOLDERS, "a_saved_dataset"),
    "a folder of Parquet files, as on the hub": (FOLDERS, "parquet_files_as_on_the_hub"),
    "Pascal VOC's folders (`JPEGImages`, `Annotations`)": ("data/coco/test_coco.py", "pascal_voc"),
    "WebDataset shards, by braces": ("data/archives/test_tar.py", "shards_are_one_set"),
    "a folder of WebDataset shards": ("data/archives/test_tar.py", "splits_of_shards_are_folders"),
    "a folder with `metadata.jsonl`, as Hugging Face has it": (
        *("data/tables/test_join.py", "a_folder_with_its_metadata"),
    ),
    "one with `train/`, `validation/`, …": ("data/tables/test_join.py", "a_folder_with_metadata_in_each_split"),
    "a stack of images, `.npy`": ("data/arrays/test_stacks.py", "a_stack_is_labeled_by_the_file_beside_it"),
    "arrays of images and labels, `.npz`": ("data/arrays/test_stacks.py", "each_image_has_its_values_and_its_label"),
    "MedMNIST, or Keras's mnist.npz": ("data/arrays/test_stacks.py", "sets_are_told_by_the_names_of_their_arrays"),
    "a table of paths and labels in Parquet": (PARQUET, "a_table_of_paths"),
    "a Parquet file of images and labels": (PARQUET, "images_are_read_from_their_rows"),
    "a tar archive of class folders, plain, .gz, .bz2 or .xz": (
        *("data/archives/test_tar.py", "images_are_read_in_place_and_labeled_by_folders"),
    ),
    "a WebDataset shard": ("data/archives/test_tar.py", "labels_lie_beside_the_images"),
    "a zip archive of class folders": (
        *("data/archives/test_zip.py", "images_are_read_in_place_and_labeled_by_folders"),
    ),
    "a zip archive with a table in it": ("data/archives/test_zip.py", "a_table_in_the_archive_labels_its_images"),
    "a list of paths, with or without labels": ONE_TABLE,
    "a table of paths and labels, CSV or TSV": ONE_TABLE,
    "the same as JSON lines": ONE_TABLE,
    "a table in JSON": ONE_TABLE,
    "one with several labels per image": (TABLES, "several_labels"),
    "one with a column of splits": (TABLES, "a_split_is_taken"),
    "ImageNet's validation set and its `val.txt`": ("data/tables/test_join.py", "lists_are_joined_too"),
    "a folder, zip or set, and a table beside it": (
        *("data/tables/test_join.py", "rows_and_images_are_joined_by_their_names"),
    ),
    "ImageNet's `LOC_val_solution.csv`": (TABLES, "solutions_of_imagenet_have_ids_and_boxes"),
    "COCO's annotations": ("data/coco/test_coco.py", "images_of_coco_are_looked_for_beside_it"),
    "the same with images elsewhere": ("data/coco/test_coco.py", "masks_of_coco_are_of_the_label_or_of_all"),
    "images, a zip or tar archive behind an address": (STORES, "a_zip_archive_is_read_by_parts"),
    "a folder in a store": (STORES, "folders_and_files_are_read"),
    "WebDataset shards in a store": (STORES, "shards_are_read_by_braces_and_as_a_folder"),
}


@every_way
def test_a_row_has_a_test(way: ImageWay) -> None:
    assert way.held_as in TRIED, "name a test of it in TRIED"
    file, test = TRIED[way.held_as]
    names = [node.name for node in ast.parse((TESTS / file).read_text()).body if isinstance(node, ast.FunctionDef)]
    assert f"test_{test}" in names


def test_rows_are_told_apart_by_what_is_held() -> None:
    assert sorted(way.held_as for way in WAYS) == sorted(TRIED)


@every_way
def test_the_command_of_a_row_parses(way: ImageWay) -> None:
    images, *options = shlex.split(way.command)
    assert images and not images.startswith("-")
    known = {name for option in cli.commands["run"].params if isinstance(option, click.Option) for name in option.opts}
    assert {word for word in options if word.startswith("-")} <= known
