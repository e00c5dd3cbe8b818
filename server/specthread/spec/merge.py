"""Two edits of one spec document brought together by what they mean: task by task, criterion by criterion, section by section.

Lines that stand side by side are no conflict here where they speak of different things, which ticks in a list of tasks mostly do. What two people
meant differently is never decided: it becomes a question. Where the structure cannot tell (two tasks with one id, tasks that were numbered anew),
nothing is said, and the lines have to be merged as lines.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from specthread.spec.boxes import states_of
from specthread.spec.dialects import Dialect
from specthread.spec.document import DocumentName
from specthread.spec.merge_check import has_id, is_another, keeps_all, keeps_places
from specthread.spec.merge_lines import Lines, woven
from specthread.spec.merge_pieces import TOP, Key, Piece, Pieces, cut

_Value = TypeVar("_Value")


class Merged(NamedTuple):
    """What came of a merge: the document, or what a human has to settle; neither where the structure cannot tell."""

    content: bytes | None
    questions: tuple[str, ...] = ()


def merge_documents(name: DocumentName, base: bytes, ours: bytes, theirs: bytes, dialect: Dialect = "specthread") -> Merged:
    """Merges two documents made from `base`. Equal changes are one; of two states of a box the one that is further along holds."""
    if theirs in (ours, base):
        return Merged(ours)
    if ours == base:
        return Merged(theirs)
    old, mine, other = (cut(content, name, dialect) for content in (base, ours, theirs))
    # Without a common beginning nothing tells what either side changed.
    if not base.strip() or old is None or mine is None or other is None or is_another(old, mine, other) or is_another(old, other, mine):
        return Merged(None)
    order = _order(old, mine, other)
    if order is None:
        return Merged(None)
    made = {key: _piece(key, old, mine, other, dialect) for key in order}
    pieces = {key: piece for key, piece in made.items() if isinstance(piece, Piece) and (piece.lines or key == TOP)}
    questions = (*(each for each in made.values() if isinstance(each, str)), *_orphans(pieces, old, (mine, other)))
    if questions or None in made.values():
        return Merged(None, questions)
    whole = _framed(_spaced(pieces, mine, other), old, mine, other)
    if not keeps_places(whole, old, mine, other) or not keeps_all(whole, old, mine, other):
        return Merged(None)
    return Merged(_checked(whole, name, dialect))


# --- which pieces, and in which order ---------------------------------------------------------------------------------------


def _order(old: Pieces, mine: Pieces, other: Pieces) -> list[Key] | None:
    """All keys that may be in the result, in the order of the side that moved something; None where both did, differently."""
    common = old.pieces.keys() & mine.pieces.keys() & other.pieces.keys()
    was, now, then = ([key for key in each.pieces if key in common] for each in (old, mine, other))
    chosen = _picked(was, now, then)
    if chosen is None:
        return None
    leading, following = (mine, other) if chosen == now else (other, mine)
    order = list(leading.pieces)
    ranks = {key: piece.rank for side in (following, leading) for key, piece in side.pieces.items()}
    before: Key | None = None
    for key in following.pieces:
        if key not in leading.pieces:
            order.insert(_place_behind(before, key, order, old, ranks), key)
        before = key
    return order


def _place_behind(before: Key | None, key: Key, order: Sequence[Key], old: Pieces, ranks: Mapping[Key, int]) -> int:
    """Behind the piece it followed, and behind what the other side added there, but not what it would then stand below."""
    at = order.index(before) + 1 if before is not None else 0
    while at < len(order) and order[at] not in old.pieces and ranks[order[at]] >= ranks[key]:
        at += 1
    return at


def _orphans(pieces: dict[Key, Piece], old: Pieces, sides: tuple[Pieces, Pieces]) -> list[str]:
    """What one side added below something that the other one deleted."""
    added = [key for key in pieces if key not in old.pieces]
    gone = old.pieces.keys() - pieces.keys()
    found = []
    for key in added:
        above = next((each for each in gone if _stands_below(key, each)), None)
        if above is not None and not any(key in side.pieces and above not in side.pieces for side in sides):
            found.append(f"{_name(above)} was deleted on one side, and {_name(key, capital=False)} was added below it on the other.")
    return found


def _stands_below(key: Key, above: Key) -> bool:
    return has_id(key) and has_id(above) and key[-1].startswith(f"{above[-1]}.")


# --- one piece ---------------------------------------------------------------------------------------------------------------


def _piece(key: Key, old: Pieces, mine: Pieces, other: Pieces, dialect: Dialect) -> Piece | str | None:
    """The piece as it is merged, without lines where it is deleted; a question where both sides meant something else, None where only lines can tell."""
    was, now, then = (each.pieces.get(key) for each in (old, mine, other))
    if now is None or then is None:
        left = now or then
        if left is None or was is None:
            return left or _GONE
        if left.lines == was.lines:
            return _GONE
        return f"{_name(key)} was deleted on one side and changed on the other." if has_id(key) else None
    if was is None:
        if now.lines == then.lines:
            return now
        return f"{_name(key)} was added on both sides, with different words." if has_id(key) else None
    blanks = _picked(was.blanks, now.blanks, then.blanks)
    kept = now._replace(blanks=now.blanks if blanks is None else blanks)
    lines = _picked(was.lines, now.lines, then.lines) or _merged_lines(was, now, then, dialect)
    return kept._replace(lines=lines) if lines is not None else None


def _merged_lines(was: Piece, now: Piece, then: Piece, dialect: Dialect) -> Lines | None:
    heads = [piece.lines[:1] if piece.key != TOP else () for piece in (was, now, then)]
    head = _picked(*heads) or _merged_box(was, now, then, dialect)
    below = woven(*(piece.lines[len(head) :] for piece, head in zip((was, now, then), heads, strict=True)))
    return None if head is None or below is None else (*head, *below)


def _merged_box(was: Piece, now: Piece, then: Piece, dialect: Dialect) -> Lines | None:
    """The line of a box whose mark and title were changed on different sides, or whose mark was on both."""
    if was.key == TOP:
        return ()
    sides = [_around_mark(piece) for piece in (was, now, then)]
    before, marks, behind = zip(*sides, strict=True)
    start, end = _picked(*before), _picked(*behind)
    mark = _picked(*marks) or _further(marks[1], marks[2], dialect)
    return (f"{start}{mark}{end}",) if start and end is not None and mark else None


def _around_mark(piece: Piece) -> tuple[str, str, str]:
    """What stands before the mark of a box, the mark, and what stands behind it; all of the line in front where it has no box."""
    line, at = piece.lines[0], piece.mark
    return (line, "", "") if at is None else (line[:at], line[at], line[at + 1 :])


def _further(one: str, other: str, dialect: Dialect) -> str | None:
    meaning = states_of(dialect)
    if one not in meaning or other not in meaning:
        return None
    return max(one, other, key=lambda mark: _RANK[meaning[mark]])


def _picked(was: _Value, now: _Value, then: _Value) -> _Value | None:
    """The changed one of two values; None where both changed, differently."""
    if then in (now, was):
        return now
    return then if now == was else None


_GONE: Final = Piece(TOP, (), 0, None, "", 0)


_RANK: Final = {"todo": 0, "queued": 1, "blocked": 1, "in_progress": 2, "done": 3}


# --- the whole ---------------------------------------------------------------------------------------------------------------


def _spaced(pieces: dict[Key, Piece], mine: Pieces, other: Pieces) -> dict[Key, Piece]:
    """The pieces with blank lines between them where two meet that never met: as many as stood in front of the second one."""
    before = [dict(zip(list(side.pieces)[1:], side.pieces, strict=False)) for side in (mine, other)]
    found = list(pieces.values())
    for index in range(1, len(found)):
        first, second = found[index - 1], found[index].key
        if any(each.get(second) == first.key for each in before):
            continue
        wanted = max(
            (side.pieces[each[second]].blanks for side, each in zip((mine, other), before, strict=True) if second in each), default=0
        )
        found[index - 1] = first._replace(blanks=max(first.blanks, wanted))
    return {piece.key: piece for piece in found}


def _framed(pieces: dict[Key, Piece], old: Pieces, mine: Pieces, other: Pieces) -> Pieces:
    def chosen(value: Callable[[Pieces], _Value]) -> _Value:
        return value(other) if value(mine) == value(old) else value(mine)

    return Pieces(pieces, chosen(lambda each: each.ending), chosen(lambda each: each.is_closed), chosen(lambda each: each.has_mark))


def _checked(made: Pieces, name: DocumentName, dialect: Dialect) -> bytes | None:
    """The bytes, if they read as what was put together."""
    content = made.written()
    again = cut(content, name, dialect)
    return content if again is not None and _said(again) == _said(made) else None


def _said(pieces: Pieces) -> list[object]:
    return [(piece.key, piece.lines, piece.blanks) for piece in pieces.pieces.values()]


def _name(key: Key, *, capital: bool = True) -> str:
    return f"{key[0].capitalize() if capital else key[0]} {key[-1]}"
