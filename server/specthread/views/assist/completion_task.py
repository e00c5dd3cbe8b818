"""What may be typed in a tasks document: states in a box, labels, the values behind them, and the next task."""

import re
from collections.abc import Iterator
from typing import Final

from specthread.spec.boxes import states_of
from specthread.spec.document import Span
from specthread.spec.facts import Fact, read_facts
from specthread.spec.references import ReferenceKind, read_references
from specthread.spec.role import ROLES
from specthread.spec.symbols import Symbol
from specthread.spec.tasks import REGRESSION, Task
from specthread.views.assist.explained import LABELS, STATES
from specthread.views.assist.hover import words_of
from specthread.views.assist.index import Index, task_at
from specthread.views.assist.typed import Completion, Typing


def in_box(typing: Typing) -> Iterator[Completion]:
    """The marks that a box may hold."""
    found = _BOX.match(typing.text)
    if found is None or not found.end("head") <= typing.cursor.character <= found.end("mark"):
        return
    close = "" if found["close"] or typing.text[found.end() :].strip() else "] "
    for mark, state in states_of(typing.cursor.index.spec.dialect).items():
        if mark != "X":
            span = typing.span(found.start("mark"), found.end("mark"))
            yield Completion(f"[{mark}] {STATES[state]}", "", "state", mark + close, span)


def in_value(typing: Typing) -> Iterator[Completion]:
    """What may stand behind the label on this line."""
    fact = _fact(typing)
    if fact is None:
        return
    start = _token_start(typing, fact.span.start)
    span = typing.span(start, typing.cursor.character + len(_TOKEN.match(typing.after)[0]))  # type: ignore[index]  # it matches nothing too
    index = typing.cursor.index
    if fact.label in {"requirements", "validates"}:
        yield from _ids(index, fact, span)
    elif fact.label == "depends":
        yield from _tasks(typing, fact, span)
    elif fact.label in {"role", "check"}:
        whole = Span(fact.span.line, fact.span.start, max(fact.span.end, typing.cursor.character))
        used = dict.fromkeys(value for task in index.spec.tasks if (value := task.role if fact.label == "role" else task.check))
        values = (*used, *ROLES) if fact.label == "role" else (*used, REGRESSION)
        yield from (Completion(value, "", "value", value, whole) for value in dict.fromkeys(values) if value != fact.value)


def labels(typing: Typing) -> Iterator[Completion]:
    """The labels that the task has not yet."""
    found = _LABEL.search(typing.before)
    task = task_at(typing.cursor)
    if found is None or task is None or typing.cursor.line == task.line:
        return
    end = typing.cursor.character + len(_WORD.match(typing.after)[0])  # type: ignore[index]  # it matches nothing too
    closing = "" if typing.text[end:].startswith("_") else "_"
    told_already = {meta.label for meta in task.meta}
    for name, card in LABELS.items():
        if name != "validates" and name not in told_already:
            title = name.capitalize()
            span = typing.span(found.start("word"), end)
            yield Completion(f"{title}:", card.title, "label", f"{title}: ${{1:{_VALUES[name]}}}{closing}", span, is_template=True)


def next_task(typing: Typing) -> Iterator[Completion]:
    """The number of the task that is begun here, or a whole task on an empty line."""
    found = _BEGUN.fullmatch(typing.before)
    if typing.after.strip():
        return
    if found is not None:
        number = next_number(typing, len(found["indent"].expandtabs(4)))
        yield Completion(_written(number), "the next task", "number", f"{_written(number)} ", typing.span(found.start("typed")))
    elif not typing.text:
        number = next_number(typing, 0)
        body = f"- [ ] {_written(number)} ${{1:what is done}}\n  - _Requirements: ${{2:ids}}_\n  - _Check: ${{3:command}}_\n"
        if typing.cursor.index.spec.dialect in _PLAIN:
            body = f"- [ ] {_written(number)} ${{1:what is done}}"
        yield Completion(f"- [ ] {_written(number)}", "a task", "template", body, typing.span(0), is_template=True)


def next_number(typing: Typing, indent: int) -> str:
    """The first free number behind the task above of the same indent, or below the task that is indented less."""
    index, line = typing.cursor.index, typing.cursor.line
    above = [task for task in index.spec.tasks if task.line < line]
    taken = {task.id for task in index.spec.tasks if task.line != line}
    before = next((task for task in reversed(above) if task.block.indent <= indent), None)
    if before is None:
        number = _first(typing)
    elif before.block.indent < indent:
        number = f"{before.id}.1"
    else:
        number = _after(before.id)
    while number in taken:
        number = _after(number)
    return number


def _first(typing: Typing) -> str:
    dialect = typing.cursor.index.spec.dialect
    heading = next((line.heading for line in typing.cursor.index.lines(typing.cursor.name) if line.heading is not None), None)
    group = _GROUP.match(heading.title) if heading is not None and dialect == "openspec" else None
    return "T001" if dialect == "spec-kit" else f"{group[1]}.1" if group else "1"


def _after(number: str) -> str:
    """The number that follows: its last digits counted up, as wide as they are."""
    found = _LAST_DIGITS.search(number)
    if found is None:
        return f"{number}1"
    return f"{number[: found.start()]}{int(found[0]) + 1:0{len(found[0])}}"


def _written(number: str) -> str:
    return number if "." in number or number.startswith("T") else f"{number}."


def _fact(typing: Typing) -> Fact | None:
    """The fact whose value the cursor stands in or directly behind."""
    here = typing.cursor.here
    found = None
    for fact in read_facts([here], typing.cursor.line) if here is not None else ():
        at = typing.cursor.character
        if fact.span.start <= at and not typing.text[fact.span.end : at].strip():
            found = fact
    return found


def _token_start(typing: Typing, least: int) -> int:
    start = len(typing.before)
    while start > least and typing.text[start - 1] not in " \t,;&/()[]`\u3001\uff0c":
        start -= 1
    return start


def _listed(kind: ReferenceKind, fact: Fact, besides: Span) -> set[str]:
    """The ids on the line, without the entry that is being typed."""
    references = read_references(kind, fact.text, fact.span)
    return {name for each in references if not each.span.start <= besides.start <= each.span.end for name in each.ids}


def _ids(index: Index, fact: Fact, span: Span) -> Iterator[Completion]:
    listed = _listed("requires", fact, span)
    for _, requirement in index.spec.all_requirements:
        if not requirement.is_traced or " " in requirement.id:
            continue
        names = [(requirement.id, "requirement"), *((criterion.id, "criterion") for criterion in requirement.criteria)]
        for name, kind in names:
            if name not in listed:
                symbol = Symbol("requirement", name) if kind == "requirement" else Symbol("criterion", name)
                yield Completion(name, _short(words_of(index, name)), "reference", name, span, symbol=symbol)


def _tasks(typing: Typing, fact: Fact, span: Span) -> Iterator[Completion]:
    index, own = typing.cursor.index, task_at(typing.cursor)
    listed = _listed("depends", fact, span) | (_circular(index, own) if own is not None else set())
    for task in index.spec.tasks:
        if task.id not in listed:
            yield Completion(task.id, _short(task.title), "reference", task.id, span, symbol=Symbol("task", task.id))
    if not _listed("depends", fact, span):
        yield Completion("none", "it waits for nothing", "value", "none", span)


def _circular(index: Index, own: Task) -> set[str]:
    """The tasks that it cannot wait for: itself, those around and in it, and those that wait for it."""
    tasks = index.spec.tasks
    at = index.tasks[own.id]
    closed = {own.id}
    for position in range(at, len(tasks)):
        above = index.parents[position]
        if above is not None and tasks[above].id in closed:
            closed.add(tasks[position].id)
    waiting = [(task.id, task.depends) for task in tasks]
    while more := {name for name, depends in waiting if name not in closed and not closed.isdisjoint(depends)}:
        closed |= more
    above = index.parents[at]
    while above is not None:
        closed.add(tasks[above].id)
        above = index.parents[above]
    return closed


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


_WIDEST = 80
_PLAIN = frozenset({"openspec", "spec-kit"})
_VALUES: Final = {
    "requirements": "ids",
    "depends": "tasks",
    "when": "condition",
    "files": "paths",
    "uses": "resource",
    "role": "implementer",
    "check": "command",
}
_BOX = re.compile(r"(?P<head>[ \t]*[-*+][ \t]+\[)(?P<mark>[^\]]?)(?P<close>\]?)")
_BEGUN = re.compile(r"(?P<indent>[ \t]*)[-*+][ \t]+\[.\]\\?\*?[ \t]+(?P<typed>T?[0-9.]*)")
_LABEL = re.compile(r"(?:^[ \t]+|[-*+][ \t]+|_[ \t]+)\\?_(?P<word>[A-Za-z]*)$")
_TOKEN = re.compile(r"[A-Za-z0-9.-]*")
_WORD = re.compile(r"[A-Za-z]*:?")
_GROUP = re.compile(r"([0-9]{1,4})\.?[ \t]")
_LAST_DIGITS = re.compile(r"[0-9]+(?=[A-Za-z]?$)")
