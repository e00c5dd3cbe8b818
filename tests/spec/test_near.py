import random

import pytest

from specthread.spec.document import REQUIREMENTS
from specthread.spec.lint import lint
from specthread.spec.near import near_of


def sentences(seed: int, count: int) -> list[str]:
    dice = random.Random(seed)
    words = [f"w{letter}" for letter in "abcdefghijkl"]
    return [" ".join(dice.choices(words, k=dice.randint(5, 14))) for _ in range(count)]


def each_with_each(texts):
    pairs = set()
    for one in texts:
        for other in texts:
            mine, yours = set(one.split()), set(other.split())
            if one < other and min(len(mine), len(yours)) >= 6 and len(mine & yours) > 0.85 * len(mine | yours):
                pairs.add((one, other))
    return pairs


@pytest.mark.parametrize("seed", range(5))
def test_the_index_finds_the_pairs_that_comparing_each_with_each_finds(seed):
    texts = set(sentences(seed, 150))
    near = near_of(texts, None)
    assert near.pairs == each_with_each(texts)
    assert near.pairs


def test_a_text_added_later_gives_the_same_pairs():
    texts = sentences(9, 120)
    assert near_of(texts, near_of(texts[:-3], None)) == near_of(texts, None)


def test_several_criteria_that_say_nearly_the_same_are_told_in_document_order():
    words = "WHEN the user asks for rows, THE cli SHALL print all of the rows as JSON"
    texts = [f"{words} {rest}" for rest in ("now", "soon", "then", "also", "too", "yet", "last")]
    document = "### Requirement 1: Rows\n" + "".join(f"{number}. {text}.\n" for number, text in enumerate(texts, 1))
    found = [problem.message for problem in lint({REQUIREMENTS: document.encode()}) if problem.code == "criterion/near-duplicate"]
    assert [(text.split()[1], text.split()[-8].rstrip(".")) for text in found] == [
        (f"1.{later}", f"1.{earlier}") for later in range(2, 8) for earlier in range(1, later)
    ]


@pytest.mark.parametrize(
    ("one", "other", "is_same"), [("all of the", "all the", True), ("a bulk", "a control", False), ("number 1", "number 2", False)]
)
def test_a_word_that_names_another_thing_makes_another_criterion(one, other, is_same):
    words = "WHEN the user asks for rows, THE cli SHALL print {} rows as one JSON document on the screen"
    assert bool(near_of([words.format(one), words.format(other)], None).pairs) is is_same


def test_thousands_of_criteria_that_hardly_differ_are_read_all_the_same():
    words = "WHEN the user presses the button, THE system SHALL show the result number {} to the user at once"
    assert near_of([words.format(number) for number in range(20_000)], None).pairs == frozenset()
