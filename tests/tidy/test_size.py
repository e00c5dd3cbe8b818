from __future__ import annotations

import ast

import pytest

from support.source_tree import PRODUCT, ROOT, Named, definitions, python_files

MAX_FILE = 400
MAX_FUNCTION = 60
USUAL_FUNCTION = 30

LONG_FILES = {
    "server/specthread/domain/events.py": "the closed list of events is read as one table of contents",
}
"""Files that may be longer, each with its reason."""


def functions() -> list[Named]:
    found = [named for path in python_files(*PRODUCT) for named in definitions(path)]
    return [named for named in found if not isinstance(named.node, ast.ClassDef)]


def file_lines(path: str) -> int:
    return len((ROOT / path).read_text().splitlines())


def test_no_file_is_longer_than_a_reader_can_hold():
    long = {path: lines for path in python_files(*PRODUCT, "tests/") if (lines := file_lines(path)) > MAX_FILE}
    assert {path: lines for path, lines in long.items() if path not in LONG_FILES} == {}


@pytest.mark.parametrize("path", LONG_FILES)
def test_a_file_stays_on_the_list_of_long_files_only_while_it_is_long(path: str):
    assert file_lines(path) > MAX_FILE


def test_no_function_is_longer_than_a_screen():
    assert {named.name: named.lines for named in functions() if named.lines > MAX_FUNCTION} == {}


def test_nine_in_ten_functions_are_short():
    found = functions()
    long = [named for named in found if named.lines > USUAL_FUNCTION]
    assert len(long) <= len(found) / 10, sorted((named.lines, named.name) for named in long)
