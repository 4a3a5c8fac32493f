"""Files of class names in the forms in which they lie around, and what is no such file."""

import json
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.data.labels.class_files import read_classes
from cnnvis_report.errors import BadRequest

NAMES = ("tench, Tinca tinca", "goldfish", "ice cream")
PAIRS = list(enumerate(NAMES))
INDEX_OF = {name: index for index, name in PAIRS}
NAME_OF = {str(index): name for index, name in PAIRS}


DIGITS = "9" * 5000


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("superscript.csv", "index,name\n0,a\n²,b\n"),
        ("header.csv", f"index,name\n0,a\n{DIGITS},b\n"),
        ("plain.csv", f"0,a\n{DIGITS},b\n"),
        ("numbered.txt", f"0: a\n{DIGITS}: b\n"),
        ("keys.json", json.dumps({"0": "a", DIGITS: "b"})),
        ("dict.py", f"{{0: 'a', {'0x' + 'f' * 5000}: 'b'}}"),
        ("values.py", f"{{'a': 0, 'b': {'0x' + 'f' * 5000}}}"),
        ("long.json", json.dumps({"a" * 100_000: "b"})),
        ("doubles.csv", f"index,name\n0,{'a' * 90_000}\n0,b\n"),
    ],
)
def test_numbers_and_texts_that_go_on_and_on_cost_a_line_at_most(file: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / file
    path.write_text(text, encoding="utf-8")
    try:
        assert len(read_classes(path).names) == 2
    except BadRequest as error:
        assert len(str(error)) < 1000


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("plain.txt", "\n".join(NAMES)),
        ("plain.names", "\r\n".join(NAMES) + "\r\n\r\n"),
        ("dict.txt", "{" + ",\n ".join(f"{index}: {name!r}" for index, name in PAIRS) + ",}\n"),
        ("assigned.py", f"CLASSES = {list(NAMES)!r}\n"),
        ("tuple.txt", repr(NAMES)),
        ("list.json", json.dumps(NAMES)),
        ("json.txt", json.dumps(NAMES, indent=1)),
        ("to_name.json", json.dumps(NAME_OF)),
        ("to_index.json", json.dumps(INDEX_OF)),
        ("class_to_idx.json", json.dumps({"class_to_idx": INDEX_OF})),
        ("config.json", json.dumps({"labels": None, "id2label": NAME_OF, "label2id": INDEX_OF, "hidden": [1, 2]})),
        ("label2id.json", json.dumps({"label2id": INDEX_OF})),
        ("objects.json", json.dumps([{"id": index, "name": name} for index, name in reversed(PAIRS)])),
        ("numbered.txt", "".join(f"{index} {name}\n" for index, name in PAIRS)),
        ("colons.txt", "".join(f"{index}: {name}\n" for index, name in reversed(PAIRS))),
        ("tabs.txt", "".join(f"{index}\t{name}\n" for index, name in PAIRS)),
        ("header.csv", "".join(f'{index},"{name}"\n' for index, name in [("class_id", "class_name"), *PAIRS])),
        ("semicolons.csv", "Nummer;Klasse\n" + "".join(f"{index};{name}\n" for index, name in PAIRS)),
        ("turned.csv", "".join(f'"{name}",{index}\n' for index, name in [("index", "label"), *reversed(PAIRS)])),
        ("columns.tsv", "name\n" + "\n".join(NAMES)),
    ],
)
def test_forms_of_class_files(tmp_path: Path, file: Any, text: str) -> None:
    (tmp_path / file).write_bytes(text.encode("utf-8-sig"))
    assert read_classes(tmp_path / file).names == NAMES
    (tmp_path / file).write_bytes(text.encode("utf-16"))
    assert read_classes(tmp_path / file).names == NAMES


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.json", '{"1": ["n01443537", "goldfish"], "0": ["n01440764", "tench"]}'),
        ("b.txt", "n01440764 tench\nn01443537 goldfish\n"),
        ("c.txt", "n01440764,tench\nn01443537,goldfish\n"),
        ("d.csv", "name,wnid,index\ngoldfish,n01443537,1\ntench,n01440764,0\n"),
        ("e.csv", "0,n01440764,tench\n1,n01443537,goldfish\n"),
    ],
)
def test_ids_are_kept_beside_the_names(tmp_path: Path, file: Any, text: str) -> None:
    (tmp_path / file).write_text(text)
    found = read_classes(tmp_path / file)
    assert found.names == ("tench", "goldfish") and found.aliases == (("n01440764",), ("n01443537",))


@pytest.mark.parametrize(
    ("file", "text", "names"),
    [
        ("euro.txt", "1 euro\n2 euro\n5 euro\n", ("1 euro", "2 euro", "5 euro")),
        ("cars.txt", "2012 Audi\n2007 BMW\n", ("2012 Audi", "2007 BMW")),
        ("marks.txt", "a\u2028b\nc\x0cd\n", ("a\u2028b", "c\x0cd")),
        ("brackets.txt", "[a]\n[b]\n", ("[a]", "[b]")),
        ("mnist.json", '{"0": 0, "1": 1, "10": 2, "2": 3}', ("0", "1", "10", "2")),
        ("ids.txt", "n01440764\nn01443537\n", ("n01440764", "n01443537")),
    ],
)
def test_names_that_look_like_something_else(tmp_path: Path, file: Any, text: str, names: Any) -> None:
    (tmp_path / file).write_bytes(text.encode())
    assert read_classes(tmp_path / file).names == names


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("a.txt", "a\n\nb\n", "line 2 is empty"),
        ("b.txt", "0 a\n1 b\n3 c\n", "none for 2"),
        ("c.txt", "0 a\n1 b\n1 c\n", "two classes have the index 1: 'b' and 'c'"),
        ("d.txt", "1: a\n2: b\n", "indices 1 to 2 for 2 classes"),
        ("e.json", '{"0": "a", "0": "b"}', "two classes have the index 0: 'a' and 'b'"),
        ("f.txt", "{0: 'a', 0: 'b'}", "two classes have the index 0: 'a' and 'b'"),
        ("g.json", '{"cat": 1, "dog": 2}', "indices 1 to 2"),
        ("h.json", '{"cat": "dog"}', "an object with 'cat' in it"),
        ("i.json", "[1, 2]", "holds a int where a name should be"),
        ("j.json", '{"0": "a"', "neither JSON nor a Python dict or list"),
        ("k.txt", "{0: __import__('os').getcwd()}", "neither JSON nor a Python dict or list"),
        ("l.txt", "[" * 9999 + "]" * 9999, "neither JSON nor a Python dict or list"),
        ("m.txt", "[\n'a',\n'b'\n", "neither JSON nor a Python dict or list"),
        ("n.csv", "tench, Tinca\ngoldfish\n", "line 2 has 1 columns, and line 1 has 2"),
        ("o.csv", "a,b,c\nd,e,f\n", "has 3 columns, and none is called name"),
        ("p.txt", "", "holds no class name"),
        ("q.yaml", "names:\n  0: a\n", "is YAML"),
        ("r.json", '"cat"', "holds a str"),
        ("s.txt", "a\0b", "no text"),
    ],
)
def test_files_that_are_no_good_say_why_in_a_line(tmp_path: Path, file: Any, text: str, says: str) -> None:
    (tmp_path / file).write_bytes(text.encode())
    with pytest.raises(BadRequest) as caught:
        read_classes(tmp_path / file)
    assert says in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_other_encodings_are_named(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("tench\ncafé\n".encode("latin-1"))
    with pytest.raises(BadRequest, match="line 2 isn't UTF-8; save it as UTF-8"):
        read_classes(tmp_path / "latin.txt")
    with pytest.raises(BadRequest, match="a folder"):
        read_classes(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        '"{}",\n"{}",\n"{}"\n', "  '{}',\n  '{}',\n\n  '{}',\n", '"{}"\n"{}"\n"{}"', "{},\n{},\n{}\n",
        "{};\n{};\n{};\n",
        '0: "{}",\n1: "{}",\n2: "{}"\n', '"{}": 0,\n"{}": 1,\n"{}": 2,\n', '"{}", "{}", "{}"', '0 "{}"\n1 "{}"\n2 "{}"',
        "- {}\n- {}\n- {}\n", "- '{}'\n- '{}'\n- '{}'\n", '0,"{}"\n1,"{}"\n2,"{}"',
    ],
)  # fmt: skip
def test_lines_cut_out_of_a_list_or_a_dict(tmp_path: Path, text: str) -> None:
    """The marks around the names are none of theirs."""
    names = ("tench, Tinca tinca", "ice cream", "black-and-tan dog")
    (tmp_path / "names.txt").write_text(text.format(*names))
    assert read_classes(tmp_path / "names.txt").names == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("'jack-o\\'-lantern',\n\"it's\",\n", ("jack-o'-lantern", "it's")),
        ('"quoted" alone\nplain\n', ('"quoted" alone', "plain")),
        ("a,\nb\nc\n", ("a,", "b", "c")),
        ("-\n- b\n", ("-", "- b")),
    ],
)
def test_marks_that_only_some_names_have_are_theirs(tmp_path: Path, text: str, names: Any) -> None:
    (tmp_path / "names.txt").write_text(text)
    assert read_classes(tmp_path / "names.txt").names == names
