from __future__ import annotations

import ast

from support.source_tree import PRODUCT, ROOT, Named, definitions, python_files

MAX_FILE = 400
MAX_FUNCTION = 60
USUAL_FUNCTION = 30


def functions() -> list[Named]:
    found = [named for path in python_files(*PRODUCT) for named in definitions(path)]
    return [named for named in found if not isinstance(named.node, ast.ClassDef)]


def file_lines(path: str) -> int:
    return len((ROOT / path).read_text().splitlines())


def test_no_file_is_longer_than_a_reader_can_hold():
    assert {path: lines for path in python_files(*PRODUCT, "tests/") if (lines := file_lines(path)) > MAX_FILE} == {}


def test_no_function_is_longer_than_a_screen():
    assert {named.name: named.lines for named in functions() if named.lines > MAX_FUNCTION} == {}


def test_nine_in_ten_functions_are_short():
    found = functions()
    long = [named for named in found if named.lines > USUAL_FUNCTION]
    assert len(long) <= len(found) / 10, sorted((named.lines, named.name) for named in long)
