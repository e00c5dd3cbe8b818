from __future__ import annotations

import re
from pathlib import PurePosixPath

from support.source_tree import PRODUCT, definitions, python_files

FORBIDDEN = {"manager", "service", "services", "helper", "helpers", "util", "utils", "processor", "impl", "info", "data", "misc", "common"}

ALLOWED = {
    "git_integration/specgit/import_stream.py::_data": "the name of the fast-import command that it writes",
}
"""Names that keep a forbidden word, each with its reason."""


def words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)}


def test_words_are_told_apart_in_both_spellings():
    assert words("SpecDrivenTaskService") == {"spec", "driven", "task", "service"}
    assert words("_read_HTTPInfo_v2") == {"read", "http", "info", "v2"}
    assert words("metadata") == {"metadata"}


def test_no_name_says_less_than_it_could():
    names = [
        (named.name, named.node.name)
        for path in python_files(*PRODUCT, "tests/")
        for named in definitions(path)
        if not is_test(named.node.name)
    ]
    names += [(path, PurePosixPath(path).stem) for path in python_files(*PRODUCT, "tests/")]
    assert [where for where, name in names if words(name) & FORBIDDEN and where not in ALLOWED] == []


def is_test(name: str) -> bool:
    return name.startswith("test_")
