"""Two edits of one spec document brought together by what they mean: task by task, criterion by criterion, section by section.

Lines that stand side by side are no conflict here where they speak of different things, which ticks in a list of tasks mostly do. What two people
meant differently is never decided: it becomes a question. Where the structure cannot tell (two tasks with one id, tasks that were numbered anew),
nothing is said, and the lines have to be merged as lines.
"""

import re
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple, TypeVar

from specthread.spec.boxes import states_of
from specthread.spec.dialects import Dialect
from specthread.spec.document import DocumentName
from specthread.spec.merge_pieces import TOP, Key, Piece, Pieces, cut

_Value = TypeVar("_Value")
_Lines = tuple[str, ...]


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
    if not base.strip() or old is None or mine is None or other is None or _is_renumbered(old, mine) or _is_renumbered(old, other):
        return Merged(None)
    order = _order(old, mine, other)
    if order is None:
        return Merged(None)
    made = {key: _piece(key, old, mine, other, dialect) for key in order}
    pieces = {key: piece for key, piece in made.items() if isinstance(piece, Piece) and (piece.lines or key == TOP)}
    questions = (*(each for each in made.values() if isinstance(each, str)), *_orphans(pieces, old, (mine, other)))
    if questions or None in made.values():
        return Merged(None, questions)
    return Merged(_checked(_framed(_spaced(pieces, mine, other), old, mine, other), name, dialect))


def _is_renumbered(old: Pieces, new: Pieces) -> bool:
    """Whether what carried one id carries another one: an id then does not say what is meant."""
    said = {piece.words for piece in new.pieces.values()}
    return any(
        piece.words in said and (key not in new.pieces or new.pieces[key].words != piece.words)
        for key, piece in old.pieces.items()
        if piece.words
    )


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
    before: Key | None = None
    for key in following.pieces:
        if key not in leading.pieces:
            order.insert(_place_behind(before, key, order, old), key)
        before = key
    return order


def _place_behind(before: Key | None, key: Key, order: Sequence[Key], old: Pieces) -> int:
    """Behind the piece it followed, and behind what the other side added there; a section does not come between tasks."""
    at = order.index(before) + 1 if before is not None else 0
    while at < len(order) and order[at] not in old.pieces and (order[at][0] == key[0] or key[0] == "section"):
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
    return _has_id(key) and _has_id(above) and key[-1].startswith(f"{above[-1]}.")


def _has_id(key: Key) -> bool:
    """Whether a number stands for it, whatever it says; a section that is called otherwise is another one, or the same."""
    return key[0] in {"task", "requirement", "criterion"} and _ID.fullmatch(key[-1]) is not None


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
        return f"{_name(key)} was deleted on one side and changed on the other." if _has_id(key) else None
    if was is None:
        if now.lines == then.lines:
            return now
        return f"{_name(key)} was added on both sides, with different words." if _has_id(key) else None
    blanks = _picked(was.blanks, now.blanks, then.blanks)
    kept = now._replace(blanks=now.blanks if blanks is None else blanks)
    lines = _picked(was.lines, now.lines, then.lines) or _merged_lines(was, now, then, dialect)
    return kept._replace(lines=lines) if lines is not None else None


def _merged_lines(was: Piece, now: Piece, then: Piece, dialect: Dialect) -> _Lines | None:
    heads = [piece.lines[:1] if piece.key != TOP else () for piece in (was, now, then)]
    head = _picked(*heads) or _merged_box(was, now, then, dialect)
    below = _woven(*(piece.lines[len(head) :] for piece, head in zip((was, now, then), heads, strict=True)))
    return None if head is None or below is None else (*head, *below)


def _merged_box(was: Piece, now: Piece, then: Piece, dialect: Dialect) -> _Lines | None:
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


_GONE: Final = Piece(TOP, (), 0, None, "")


class _Edit(NamedTuple):
    first: int
    last: int
    lines: _Lines


def _woven(base: _Lines, ours: _Lines, theirs: _Lines) -> _Lines | None:
    """The lines with the changes of both sides; None where both changed the same ones, or neighbours in prose."""
    mine, other = _edits(base, ours), _edits(base, theirs)
    made: list[_Edit] = list(mine)
    for edit in other:
        near = [each for each in mine if each.first <= edit.last and edit.first <= each.last]
        if edit in near:
            continue
        if not all(_go_together(each, edit, base) for each in near):
            return None
        known = {line for each in near if each.first == each.last == edit.first for line in each.lines}
        made.append(edit if edit.first < edit.last else edit._replace(lines=tuple(line for line in edit.lines if line not in known)))
    result: list[str] = []
    done = 0
    for edit in sorted(made, key=lambda each: (each.first, each.last)):  # stable: ours stands first where both add in one place
        result += [*base[done : edit.first], *edit.lines]
        done = edit.last
    return (*result, *base[done:])


def _edits(base: _Lines, side: _Lines) -> list[_Edit]:
    changes = SequenceMatcher(None, base, side, autojunk=False).get_opcodes()
    return [_Edit(first, last, side[start:end]) for kind, first, last, start, end in changes if kind != "equal"]


def _go_together(one: _Edit, other: _Edit, base: _Lines) -> bool:
    """Whether two changes that touch each other are of entries of a list, each a thing of its own."""
    overlap = max(one.first, other.first) < min(one.last, other.last)
    inside = one.first < other.first == other.last < one.last or other.first < one.first == one.last < other.last
    lines = (*one.lines, *other.lines, *base[one.first : one.last], *base[other.first : other.last])
    return not overlap and not inside and all(_ENTRY.match(line) for line in lines)


_ENTRY: Final = re.compile(r"[ \t]*(?:[-*+][ \t]|[0-9]+[.)][ \t]|\\?_[^_]+:)")
_ID: Final = re.compile(r"[A-Za-z]{0,12}[ -]?[0-9][\w.-]*")
_RANK: Final = {"todo": 0, "queued": 1, "blocked": 1, "in_progress": 2, "done": 3}


# --- the whole ---------------------------------------------------------------------------------------------------------------


def _spaced(pieces: dict[Key, Piece], mine: Pieces, other: Pieces) -> dict[Key, Piece]:
    """The pieces with blank lines between them where two meet that never met: as many as stood in front of the second one."""
    found = list(pieces.values())
    for index in range(1, len(found)):
        pair = (found[index - 1].key, found[index].key)
        sides = [each for each in (mine, other) if pair[1] in each.pieces]
        if any(_neighbours(each, pair) for each in sides):
            continue
        wanted = max((_blanks_before(each, pair[1]) for each in sides), default=0)
        found[index - 1] = found[index - 1]._replace(blanks=max(found[index - 1].blanks, wanted))
    return {piece.key: piece for piece in found}


def _neighbours(side: Pieces, pair: tuple[Key, Key]) -> bool:
    keys = list(side.pieces)
    return pair[0] in side.pieces and keys.index(pair[0]) + 1 == keys.index(pair[1])


def _blanks_before(side: Pieces, key: Key) -> int:
    keys = list(side.pieces)
    at = keys.index(key)
    return side.pieces[keys[at - 1]].blanks if at else 0


def _framed(pieces: dict[Key, Piece], old: Pieces, mine: Pieces, other: Pieces) -> Pieces | None:
    def chosen(value: Callable[[Pieces], _Value]) -> _Value | None:
        return _picked(value(old), value(mine), value(other))

    ending, is_closed, has_mark = chosen(lambda each: each.ending), chosen(lambda each: each.is_closed), chosen(lambda each: each.has_mark)
    if ending is None or is_closed is None or has_mark is None:
        return None
    return Pieces(pieces, ending, is_closed, has_mark)


def _checked(made: Pieces | None, name: DocumentName, dialect: Dialect) -> bytes | None:
    """The bytes, if they read as what was put together."""
    content = made.written() if made is not None else b""
    again = cut(content, name, dialect)
    return content if made is not None and again is not None and _said(again) == _said(made) else None


def _said(pieces: Pieces) -> list[object]:
    return [(piece.key, piece.lines, piece.blanks) for piece in pieces.pieces.values()]


def _name(key: Key, *, capital: bool = True) -> str:
    return f"{key[0].capitalize() if capital else key[0]} {key[-1]}"
