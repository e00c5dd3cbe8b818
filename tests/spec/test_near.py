import random

import pytest

from specthread.spec.near import near_of


def sentences(seed: int, count: int) -> list[str]:
    dice = random.Random(seed)
    words = [f"w{number}" for number in range(12)]
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
