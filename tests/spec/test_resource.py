from __future__ import annotations

import pytest

from specthread.spec.resource import modes_of, resource_of, use_of


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("database:test", ("database:test", "exclusive")),
        ("database:test (exclusive)", ("database:test", "exclusive")),
        ("database:test (Exclusive)", ("database:test", "exclusive")),
        ("api:github(shared)", ("api:github", "shared")),
        ("database:test (readonly)", None),
        ("database:test(readonly) (shared)", None),
        ("the printer", None),
    ],
)
def test_a_word_in_brackets_says_how_it_is_used_and_is_never_part_of_the_name(written, meant):
    assert use_of(written) == meant


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("file:./src/a.py", "file:src/a.py"),
        ("file:src//b/../a.py", "file:src/a.py"),
        ("file:src/", "file:src"),
        ("file:app/(shop)", "file:app/(shop)"),
        ("database:./test", "database:./test"),
    ],
)
def test_a_file_is_the_same_however_its_path_is_written(written, name):
    assert resource_of(written) == name


@pytest.mark.parametrize("uses", [("database:test", "database:test (shared)"), ("database:test (shared)", "database:test")])
def test_of_two_ways_to_use_one_resource_the_stronger_counts(uses):
    assert dict(modes_of(uses)) == {"database:test": "exclusive"}
