from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.plan.graph import Node, graph_of
from specthread.plan.same_files import share_files
from specthread.plan.soft_edges import MOST_SOFT_EDGES, soft_edges
from specthread.spec.code_paths import pattern_of


def alone(*names: str):
    return graph_of(Node(id=name) for name in names)


def test_tasks_in_the_same_files_are_told_once_and_in_order():
    files = {"3": ["src/a.py"], "1": ["src/a.py", "src/b.py"], "2": ["src/b.py", "src/a.py"]}
    assert soft_edges(alone("1", "2", "3"), files) == (("1", "2"), ("1", "3"), ("2", "3"))


def test_tasks_that_wait_for_each_other_anyway_are_not_told():
    made = graph_of([Node(id="1"), Node(id="2", depends=("1",)), Node(id="3", depends=("2",)), Node(id="4", depends=("1",))])
    assert soft_edges(made, dict.fromkeys("1234", ("a.py",))) == (("2", "4"), ("3", "4"))


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("src/a.py", "src/", True),
        ("./src/deep/a.py", "src", True),
        ("src/*.py", "src/a.py", True),
        ("**/test_a.py", "tests/unit/test_a.py", True),
        ("src/a.py", "src/b.py", False),
        ("./a.py", "a.py", True),
        ("src/a?.py", "src/ab.py", True),
        ("src/*.py", "src/a.txt", False),
        ("src/m1/*.py", "src", True),
        ("src/a.py", "src/a.pyi", False),
        ("src", "srcs/a.py", False),
        ("*", "src/a.py", False),
        ("./", "src/a.py", False),
        ("", "", False),
    ],
)
def test_a_folder_and_a_pattern_hold_their_files_and_all_or_nothing_says_nothing(one, other, shared):
    assert share_files([one], [other]) is share_files([other], [one]) is shared
    assert bool(soft_edges(alone("1", "2"), {"1": [one], "2": [other]})) is shared


paths = st.lists(
    st.sampled_from(
        [
            "src",
            "src/a.py",
            "src/a?.py",
            "src/ab.py",
            "src/b/*.py",
            "src/b/",
            "src/b/c.py",
            "*.py",
            "tests/**/x.py",
            "tests/d/x.py",
            "./src/a.py",
        ]
    ),
    max_size=3,
)


@given(st.dictionaries(st.sampled_from("12345"), paths))
def test_pairs_are_those_whose_files_meet(files):
    expected = [
        (one, other) for one in "12345" for other in "12345" if one < other and share_files(files.get(one, []), files.get(other, []))
    ]
    assert list(soft_edges(alone(*"12345"), files)) == expected


def test_a_folder_that_everybody_names_does_not_take_for_ever():
    names = [str(number) for number in range(5_000)]
    assert len(soft_edges(alone(*names), dict.fromkeys(names, ("src/",)))) == MOST_SOFT_EDGES


@pytest.mark.parametrize("pattern", ["src/m{}/*.py", "**/test_{}.py", "*_{}.py"])
def test_each_of_many_patterns_is_made_ready_only_once(pattern):
    names = [str(number) for number in range(1_000)]
    compiled = pattern_of.cache_info().misses
    assert soft_edges(alone(*names), {name: [pattern.format(name)] for name in names}) == ()
    assert pattern_of.cache_info().misses - compiled <= len(names)
