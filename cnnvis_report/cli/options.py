"""The options that commands share."""

from pathlib import Path

import click

from cnnvis_report.cli.config_file import read_config
from cnnvis_report.cli.params import note_verbose, options
from cnnvis_report.cli.types import BatchSize, Count, FileName, Numbers, OneOf, Text
from cnnvis_report.records.scores import SCORES

A_FILE = FileName(path_type=Path)
A_NAME = FileName()  # of a file, or of something else
# as the fields of a request are called
LOADED = (
    *("weights", "class_names", "labels", "masks", "size", "mean", "std"),
    *("value_range", "limit", "limit_order", "scores"),
)
EXPLAINING = ("classes", "layers", "device", "batch_size", "seed", "precision", "evaluate", "inside", "units")

DEVICE = click.option(
    "--device", type=Text(), default="auto", metavar="NAME", show_default=True, help="auto, cpu, cuda, cuda:N or mps."
)
QUIET = click.option("-q", "--quiet", is_flag=True, help="Say only what went wrong, and where the result is.")
CONFIG = click.option(
    "--config",
    type=A_FILE,
    is_eager=True,
    expose_value=False,
    callback=read_config,
    metavar="FILE.toml",
    help="Take defaults from a file: the long options' names as keys, and where there is -O, [options.METHOD] tables.",
)
LOADING = options(
    click.option(
        "-w",
        "--weights",
        type=A_FILE,
        help="A .pth, .pt or .safetensors file with a state dict; FILE#KEY for what stands under a key of it.",
    ),
    click.option(
        "--class-names",
        type=A_FILE,
        help="A file of class names: a name a line in index order, lines of index and name, a table, JSON or a Python "
        "dict (index to name, name to index, a Hugging Face config.json).",
    ),
    click.option(
        "--labels",
        type=OneOf(["names", "folders", "indices"]),
        default="names",
        show_default=True,
        help="Labels are sub-folders called like classes, by WordNet id, or all by index (names); all sub-folders, "
        "which stand for the classes in alphabetical order where none is called like one (folders); or those called "
        "by a number (indices). A .txt list has its labels after a tab, a comma or a blank, several with | between.",
    ),
    click.option(
        "--masks",
        type=A_FILE,
        help="A folder of masks of what decides the class, or of boxes (Pascal VOC), called like the images.",
    ),
    click.option(
        "--scores",
        type=OneOf(SCORES),
        default="auto",
        show_default=True,
        help="What the network's scores mean: one class an image (softmax), several labels an image (sigmoid, "
        "multi-label), the positive or the negative class (binary, a single score), or numbers without probabilities "
        "(value, a regression). auto finds out, and says why; a network may say it itself, by an attribute such as "
        "scores = 'sigmoid'.",
    ),
    click.option(
        "--size",
        type=Text(numbers=True),
        metavar="SIZE",
        help="A side (224), HEIGHTxWIDTH (192x256, the whole picture) or original.",
    ),
    click.option("--mean", type=Numbers(), help="Of the normalization, one number a channel, with commas."),
    click.option("--std", type=Numbers(), help="Of the normalization, one number a channel, with commas."),
    click.option(
        "--range",
        "value_range",
        type=Numbers(),
        metavar="LOW,HIGH",
        help="What is black and white in pictures of more than 8 bits, such as 0,4095. Default: the fewest bits that "
        "hold their values.",
    ),
    click.option("--limit", type=Count(1), metavar="N", help="At most so many images; with run --only, of those."),
    click.option(
        "--limit-order",
        type=OneOf(["balanced", "first"]),
        default="balanced",
        show_default=True,
        help="Which images --limit takes: as many of each class as can be, drawn by the seed, or the first ones.",
    ),
)
WHERE = options(
    click.option(
        "-c",
        "--classes",
        type=Text(numbers=True, several=True, empty=True),
        default="top:3",
        metavar="CHOICE",
        show_default=True,
        help="Which classes of each image to explain: top:K, label, or names and indices; several with commas.",
    ),
    click.option(
        "--unit",
        "units",
        type=Text(),
        multiple=True,
        metavar="LAYER:CHANNEL[:ROW,COLUMN]",
        help="Look at this unit inside the network: its projections, top images and preferred input. Repeatable.",
    ),
    DEVICE,
    click.option(
        "--batch-size", type=BatchSize(), default="auto", show_default=True, help="How many images at a time."
    ),
    click.option("--seed", type=Count(0), default=0, show_default=True, help="Of everything that is drawn."),
    CONFIG,
)
SINGLE = click.option("--single-file", is_flag=True, help="One page that holds everything, in 25 MB where that can be.")
OUTPUT = options(
    click.option(
        "--single-file", is_flag=True, help="One page that holds everything, at most 25 MB where that can be."
    ),
    click.option("--strict", is_flag=True, help="Exit with 3 if a file was skipped or a map is missing."),
    click.option("--open", "open_page", is_flag=True, help="Show the first page in the browser."),
    QUIET,
    click.option(
        "-v",
        "--verbose",
        is_flag=True,
        callback=note_verbose,
        help="Show the traceback of a method that failed, or of an error in your own network.",
    ),
)
EXPLAIN = options(
    click.option(
        "-m",
        "--methods",
        type=Text(several=True, empty=True),
        default="standard",
        metavar="NAMES",
        show_default=True,
        help="Methods with commas between them, or quick, standard, all; package.module:function for one of your own. "
        "'cnnvis-report methods' lists them.",
    ),
    click.option(
        "-O",
        "--option",
        "settings",
        type=Text(),
        multiple=True,
        metavar="METHOD.NAME=VALUE",
        help="Set an option of a method, such as smoothgrad.n=50. Repeatable.",
    ),
    click.option(
        "-l",
        "--layer",
        "layers",
        type=Text(),
        multiple=True,
        metavar="NAME",
        help="The layer that class activation maps read; repeatable. Default: the last features that reach the scores. "
        "'cnnvis-report layers MODEL' lists them.",
    ),
    click.option(
        "--precision",
        type=OneOf(["auto", "float32", "bfloat16"]),
        default="auto",
        show_default=True,
        help="Of the methods that only look forward, such as RISE: auto takes bfloat16 where the device is faster with "
        "it and the order of a map's pixels holds on a sample (rank correlation of 0.99).",
    ),
    click.option(
        "--evaluate",
        type=OneOf(["auto", "none", "small", "full"]),
        is_flag=False,
        flag_value="full",
        default="auto",
        show_default=True,
        help="Measure what each map is worth: small on some images, full (--evaluate alone) on all; auto is small for "
        "sets of methods, none for methods that are named.",
    ),
    click.option(
        "--inside",
        type=OneOf(["auto", "none", "standard", "all"]),
        default="auto",
        show_default=True,
        help="Show what the layers hold: filters, feature maps, projections, top images, preferred inputs. auto is "
        "standard for sets of methods, none for methods that are named.",
    ),
)
