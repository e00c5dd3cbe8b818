"""Which criteria say nearly the same: pairs of texts that share most of their words (Jaccard), found without comparing each with each."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Near:
    """Criteria texts compared with each other, and the pairs that say nearly the same."""

    texts: frozenset[str]
    pairs: frozenset[tuple[str, str]]


def near_of(criteria: Iterable[str], before: Near | None) -> Near:
    """The pairs of texts with nearly the same words; where few texts are new, only these are compared."""
    texts = frozenset(criteria)
    known = before or Near(frozenset(), frozenset())
    if texts == known.texts:
        return known
    words = {text: each for text in texts if len(each := frozenset(text.casefold().split())) >= _FEWEST_WORDS}
    fresh = words.keys() - known.texts
    if len(fresh) > _FEW:
        return Near(texts, frozenset(_all_pairs(words)))
    found = {_pair(text, other) for text in fresh for other in words if text != other and _alike(words[text], words[other])}
    return Near(texts, frozenset(found).union(pair for pair in known.pairs if texts.issuperset(pair)))


_NEARLY_THE_SAME: Final = 0.85
_SAME_OF_EQUAL: Final = 2 * _NEARLY_THE_SAME / (1 + _NEARLY_THE_SAME)
"""The part of its words that a text shares with one that is alike and at least as long."""
_FEWEST_WORDS: Final = 6
_SMALL: Final = 4
"""Letters up to which a word is none that names a thing."""
_MARKS: Final = ".,;:!?()[]{}'\"*_`"
_MOST_COMPARED: Final = 300_000
"""Pairs that are looked at; thousands of criteria that hardly differ are not all told."""
_FEW: Final = 8
"""Texts up to which comparing with all others is cheaper than an index of all."""


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


def _alike(mine: frozenset[str], yours: frozenset[str]) -> bool:
    if min(len(mine), len(yours)) <= _NEARLY_THE_SAME * max(len(mine), len(yours)):
        return False
    shared = len(mine & yours)
    if shared <= _NEARLY_THE_SAME * (len(mine) + len(yours) - shared):
        return False
    # “a control transfer” and “a bulk transfer” are two things: only small words may be what is different.
    return not any(len(bare := word.strip(_MARKS)) > _SMALL or any(map(str.isdigit, bare)) for word in mine ^ yours)


def _all_pairs(words: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, str]]:
    """Every pair, shorter texts first: of two that are alike, the few rarest words of one are among the few rarest of the other."""
    common = Counter(word for each in words.values() for word in each)
    having: dict[str, list[str]] = {}
    left = _MOST_COMPARED
    for text, each in sorted(words.items(), key=lambda item: (len(item[1]), item[0])):
        rarest = sorted(each, key=lambda word: (common[word], word))
        # A row of texts, not a set: where the comparing ends before all are compared, it ends at the same pair every time.
        rivals = dict.fromkeys(other for word in rarest[: len(each) - int(_NEARLY_THE_SAME * len(each))] for other in having.get(word, ()))
        left -= len(rivals)
        if left < 0:
            return
        yield from (_pair(text, other) for other in rivals if _alike(each, words[other]))
        for word in rarest[: len(each) - int(_SAME_OF_EQUAL * len(each))]:
            having.setdefault(word, []).append(text)
