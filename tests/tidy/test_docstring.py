from __future__ import annotations

import ast

from support.source_tree import PRODUCT, ROOT, definitions, parse, python_files


def test_every_module_says_what_it_is():
    modules = [path for path in python_files(*PRODUCT, "tests/support/", "tests/bench/") if (ROOT / path).stat().st_size]
    assert [path for path in modules if not ast.get_docstring(parse(path))] == []


def test_every_public_name_says_what_it_promises():
    public = [named for path in python_files(*PRODUCT) for named in definitions(path) if named.public]
    assert [named.name for named in public if not ast.get_docstring(named.node)] == []


def test_a_docstring_begins_with_one_sentence_on_one_line():
    ragged = []
    for path in python_files(*PRODUCT):
        for named in definitions(path):
            first = (ast.get_docstring(named.node) or ".").split("\n\n")[0]
            if "\n" in first or first[-1] not in ".!?:":
                ragged.append(named.name)
    assert ragged == []
