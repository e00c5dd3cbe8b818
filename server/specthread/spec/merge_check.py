"""What makes a merge by structure safe: ids mean what they meant, everything stays below what it stood below, and no line is lost or doubled."""

import re
from collections import Counter
from collections.abc import Callable
from difflib import SequenceMatcher
from typing import Final

from specthread.spec.merge_pieces import TOP, Key, Piece, Pieces

LIKE: Final = 0.6
"""How much two texts have in common where one is taken for an edit of the other (0 to 1)."""
MOST_CHANGED: Final = 50
"""Texts with another wording above which nothing is said of which is which."""


def has_id(key: Key) -> bool:
    """Whether a number stands for it, whatever it says; a section that is called otherwise is another one, or the same."""
    return key[0] in {"task", "requirement", "criterion"} and _ID.fullmatch(key[-1]) is not None


def is_another(old: Pieces, new: Pieces, other: Pieces) -> bool:
    """Whether one side may have given an id to another thing, while the other side spoke of what it meant before."""
    text = _texts(old, new)
    now = {key: text(piece) for key, piece in new.pieces.items() if key[0] != "section"}
    was = {key: text(piece) for key, piece in old.pieces.items() if key in now or key[0] in _NUMBERED}
    known = set(was.values())
    fresh = [(key, said) for key, said in now.items() if said not in known]
    moved = [(key, said) for key, said in was.items() if said and now.get(key) != said]
    if len(moved) > MOST_CHANGED or len(fresh) > 4 * MOST_CHANGED:
        return True
    for key, said in moved:
        own = _likeness(said, now[key]) if key in now else 0.0
        if any(said == each for each in now.values()) or any(_likeness(said, each) > max(own, LIKE) for at, each in fresh if at != key):
            return True
        if key in now and own < LIKE and _is_spoken_of(key, old, other):
            return True
    return False


def _texts(old: Pieces, new: Pieces) -> Callable[[Piece], str]:
    """What a piece says: its words, and where those are none or said twice, all of it but its number."""
    counts = [Counter(piece.words for piece in side.pieces.values()) for side in (old, new)]

    def text(piece: Piece) -> str:
        is_enough = piece.words and all(count[piece.words] <= 1 for count in counts)
        return piece.words if is_enough else "\n".join((piece.words, *piece.lines[1:]))

    return text


def _is_spoken_of(key: Key, old: Pieces, other: Pieces) -> bool:
    """Whether a side changed the piece, or added something below its number."""
    if key not in other.pieces or other.pieces[key].lines != old.pieces[key].lines:
        return True
    return any(each not in old.pieces and has_id(each) and each[-1].startswith(f"{key[-1]}.") for each in other.pieces)


def _likeness(one: str, other: str) -> float:
    matcher = SequenceMatcher(None, one[:_COMPARED], other[:_COMPARED], autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() > LIKE else 0.0


def keeps_places(made: Pieces, old: Pieces, mine: Pieces, other: Pieces) -> bool:
    """Whether everything stands below what it stood below, or where the one side that moved it put it."""
    result, before, now, then = (_around(each) for each in (made, old, mine, other))
    for key, place in result.items():
        sides = [each[key] for each in (now, then) if key in each]
        if place not in sides or (len(sides) > 1 and key in before and place == before[key] and sides != [place, place]):
            return False
    gone = [key for key in old.pieces if not has_id(key) and key not in mine.pieces and key not in other.pieces]
    added = [any(not has_id(key) and key not in old.pieces for key in side.pieces) for side in (mine, other)]
    return not (gone and all(added))  # one section, called otherwise by both


def _around(pieces: Pieces) -> dict[Key, tuple[Key, ...]]:
    """What each piece stands below, from the outermost on."""
    found: dict[Key, tuple[Key, ...]] = {}
    above: list[Piece] = []
    for key, piece in pieces.pieces.items():
        while above and above[-1].rank >= piece.rank:
            above.pop()
        found[key] = tuple(each.key for each in above)
        if key != TOP:
            above.append(piece)
    return found


def keeps_all(made: Pieces, old: Pieces, mine: Pieces, other: Pieces) -> bool:
    """Whether each line stands as often as both sides together wanted it; where both added it, once is as good as twice."""
    result, was, now, then = (_counted(each) for each in (made, old, mine, other))
    for line in {*result, *was, *now, *then}:
        wanted = {max(0, now[line] + then[line] - was[line])} | ({now[line]} if now[line] == then[line] else set())
        if result[line] not in wanted:
            return False
    return True


def _counted(pieces: Pieces) -> Counter[str]:
    """How often each line stands there, whatever is in its box."""
    lines = (
        line if index or piece.mark is None else f"{line[: piece.mark]} {line[piece.mark + 1 :]}"
        for piece in pieces.pieces.values()
        for index, line in enumerate(piece.lines)
    )
    return Counter(line for line in lines if line.strip())


_ID: Final = re.compile(r"[A-Za-z]{0,12}[ -]?[0-9][\w.-]*")
_NUMBERED: Final = {"task", "requirement", "criterion"}
_COMPARED: Final = 500
"""Characters of a text that are compared."""
