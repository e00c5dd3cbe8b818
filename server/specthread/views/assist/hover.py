"""What a person is told where the pointer rests."""

from collections.abc import Mapping
from typing import NamedTuple

from specthread.spec.document import Span
from specthread.spec.symbols import Symbol
from specthread.spec.tasks import Task
from specthread.views.assist.card import Card
from specthread.views.assist.explained import KEYWORDS, LABELS, PATTERNS, STATES
from specthread.views.assist.index import Cursor, Index, criterion_at, meant, task_at, touched
from specthread.views.assist.keywords import keywords_in
from specthread.views.assist.labels import labels_in


class Hover(NamedTuple):
    """What is told, and about which place."""

    span: Span
    cards: tuple[Card, ...]


def hover(cursor: Cursor, notes: Mapping[str, str]) -> Hover | None:
    """What is told at a place; `notes` hold what is known of tasks beyond the document."""
    if (here := cursor.here) is None or here.hidden:
        return None
    about = touched(cursor)
    if not about and (word := _word(cursor) or _label(cursor) or _box(cursor)):
        return word
    about = about or meant(cursor)
    cards = tuple(card for each in about if (card := card_of(cursor.index, each.symbol, notes)) is not None)
    span = about[0].span if about else here.whole.below(cursor.line)
    return Hover(span if span.line == cursor.line else here.whole.below(cursor.line), cards) if cards else None


def card_of(index: Index, symbol: Symbol, notes: Mapping[str, str]) -> Card | None:
    """What is told of a symbol; None where it is defined nowhere."""
    if symbol.kind == "task":
        at = index.tasks.get(symbol.id)
        return None if at is None else _task(index, at, notes)
    if symbol.kind == "requirement":
        return _requirement(index, symbol, notes)
    return _criterion(index, symbol, notes) if symbol.kind == "criterion" else _property(index, symbol, notes)


def _requirement(index: Index, symbol: Symbol, notes: Mapping[str, str]) -> Card | None:
    requirement = index.requirements.get(symbol.id)
    if requirement is None:
        return None
    criteria = tuple(f"{each.id} {each.name or each.text}" for each in requirement.criteria)
    title = requirement.title if requirement.title == requirement.id else f"{requirement.id}: {requirement.title}"
    story = (requirement.story,) if requirement.story else ()
    return Card(f"Requirement {title}", story, (("Criteria:", criteria), *_covered(index, symbol, notes)))


def _criterion(index: Index, symbol: Symbol, notes: Mapping[str, str]) -> Card | None:
    if symbol.id not in index.criteria:
        return None
    requirement, criterion = index.criteria[symbol.id]
    title = f"{requirement.title}: {criterion.name}" if criterion.name else f"Criterion {criterion.id}"
    pattern = () if criterion.name else (f"{PATTERNS[criterion.pattern]}; requirement {requirement.id}: {requirement.title}",)
    return Card(title, (criterion.text, *pattern), _covered(index, symbol, notes))


def _property(index: Index, symbol: Symbol, notes: Mapping[str, str]) -> Card | None:
    found = index.properties.get(symbol.id)
    if found is None:
        return None
    validated = tuple(told(index, name) for reference in found.validates for name in reference.ids)
    return Card(f"Property {found.id}: {found.title}", (), (("Validates:", validated), *_covered(index, symbol, notes)))


def _covered(index: Index, symbol: Symbol, notes: Mapping[str, str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not index.is_traced:
        return ()
    tasks = index.covering.get(symbol, ())
    return (("Tasks:", tuple(_told(index, task, notes) for task in tasks) or ("none yet",)),)


def _task(index: Index, at: int, notes: Mapping[str, str]) -> Card:
    task = index.spec.tasks[at]
    done, leaves = index.progress[at]
    state = STATES[task.state] if task.leaf else f"{done} of {leaves} done"
    facts = [f"{state}{', may be left out' if task.optional else ''}"]
    facts += [f"{word}: {value}" for word, value in (("when", task.when), ("role", task.role), ("check", task.check)) if value]
    facts += [f"files: {', '.join(task.files)}"] if task.files else []
    waits = tuple(_named(index, name, notes) for name in task.depends)
    return Card(
        f"Task {task.id}: {task.title}",
        (*((notes[task.id],) if task.id in notes else ()), *facts),
        (("Fulfils:", tuple(told(index, name) for name in task.requires)), ("Waits for:", waits)),
    )


def told(index: Index, name: str) -> str:
    """A requirement or criterion with its words, as one line."""
    return f"{name} {words_of(index, name)}".rstrip()


def words_of(index: Index, name: str) -> str:
    """The words of a requirement or criterion as one line; none for an id that nothing has."""
    if name in index.criteria:
        criterion = index.criteria[name][1]
        return criterion.name or criterion.text
    requirement = index.requirements.get(name)
    return "" if requirement is None else requirement.title


def _named(index: Index, name: str, notes: Mapping[str, str]) -> str:
    at = index.tasks.get(name)
    return name if at is None else _told(index, index.spec.tasks[at], notes)


def _told(index: Index, task: Task, notes: Mapping[str, str]) -> str:
    done, leaves = index.progress[index.tasks[task.id]]
    state = notes.get(task.id) or (STATES[task.state] if task.leaf else f"{done} of {leaves} done")
    return f"{task.id} {task.title} ({state})"


def _word(cursor: Cursor) -> Hover | None:
    criterion = criterion_at(cursor)
    found = keywords_in(criterion, cursor.index.lines(cursor.name)) if criterion is not None else ()
    return next((Hover(each.span, (KEYWORDS[each.kind],)) for each in found if cursor.touches(each.span)), None)


def _label(cursor: Cursor) -> Hover | None:
    found = labels_in(cursor.here, cursor.line) if cursor.here is not None else ()
    return next((Hover(each.span, (LABELS[each.name],)) for each in found if cursor.touches(each.span)), None)


def _box(cursor: Cursor) -> Hover | None:
    task = task_at(cursor)
    if task is None or not cursor.touches(task.box) or not task.leaf:
        return None
    return Hover(task.box, (Card(f"[{task.state_raw}]", (f"This task is {STATES[task.state]}.",)),))
