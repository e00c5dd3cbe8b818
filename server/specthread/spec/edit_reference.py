"""What a task says it fulfils: one id more or less in its list of requirements."""

from collections.abc import Iterator

from specthread.spec.changes import Cannot, Changes, exchanged, put_in, spec_with
from specthread.spec.document import Change, Span
from specthread.spec.entries import entry_without, separator_of
from specthread.spec.facts import squeezed_label
from specthread.spec.links import owner_of, short_id
from specthread.spec.references import Reference
from specthread.spec.source import Source
from specthread.spec.spec import Spec
from specthread.spec.symbols import meanings, meant
from specthread.spec.task_tree import index_of
from specthread.spec.tasks import Task
from specthread.spec.words import NOTHING


def add_reference(spec: Spec, task_id: str, wanted: str) -> Changes | Cannot:
    """The change that has a task name a requirement or criterion, in a list it has or on a line written like those of its siblings."""
    index = index_of(spec.tasks, task_id)
    meaning = meanings(spec)
    if spec.tasks_name is None or index is None or wanted not in meaning:
        return Cannot(f"There is no task {task_id}." if index is None else f"There is no requirement or criterion {wanted}.")
    task = spec.tasks[index]
    names = {meant(meaning, "requires", each) for each in task.requires}
    if meaning[wanted] in names or task.block.requires_all:
        return {}
    change = _with(spec, spec.sources[spec.tasks_name], task, wanted)
    if isinstance(change, Cannot):
        return change
    changes = {spec.tasks_name: (change,)}
    return changes if _named(spec_with(spec, changes), index) == names | {meaning[wanted]} else _unsure(task)


def remove_reference(spec: Spec, task_id: str, unwanted: str) -> Changes | Cannot:
    """The change after which a task no longer names a requirement or criterion; a list that is empty then is taken away."""
    index = index_of(spec.tasks, task_id)
    if spec.tasks_name is None or index is None:
        return Cannot(f"There is no task {task_id}.")
    task, source = spec.tasks[index], spec.sources[spec.tasks_name]
    meaning = meanings(spec)
    symbol = meant(meaning, "requires", unwanted)
    names = _named(spec, index)
    if symbol not in names:
        owners = {short_id(requirement.id) for _, requirement in spec.all_requirements}
        whole = meant(meaning, "requires", owner_of(unwanted, owners) or unwanted)
        if whole in names or task.block.requires_all:
            return Cannot(
                f"Task {task_id} names {whole.id if whole in names else 'everything'} as a whole. Name its criteria one by one first."
            )
        return {}
    found = [
        _without(spec, source, task, reference, written)
        for reference in task.references
        for written in (reference.ids if reference.kind == "requires" else ())
        if meant(meaning, "requires", written) == symbol
    ]
    changes = {spec.tasks_name: tuple(found)}
    if len({change.start for change in found}) < len(found) or _named(spec_with(spec, changes), index) != names - {symbol}:
        return _unsure(task)
    return changes


def _unsure(task: Task) -> Cannot:
    return Cannot(f"The list of task {task.id} is written in a way that is not changed safely. Change it by hand.")


def _named(spec: Spec, index: int) -> set[object]:
    meaning = meanings(spec)
    return {meant(meaning, "requires", each) for each in spec.tasks[index].requires}


def _with(spec: Spec, source: Source, task: Task, wanted: str) -> Change | Cannot:
    listed = [reference for reference in task.references if reference.kind == "requires"]
    if spec.dialect == "spec-kit":
        return _labelled(source, task, listed, wanted)
    if listed:
        last = listed[-1]
        return put_in(last.span.line, last.span.end, separator_of(source, last) + wanted)
    empty = next((meta for meta in task.meta if meta.label == "requirements"), None)
    if empty is not None:
        return exchanged(empty.span, wanted) if not empty.value or empty.value.casefold() in NOTHING else _unsure(task)
    if spec.dialect == "openspec":
        return Cannot("OpenSpec's tasks name no requirements.")
    return _new_line(spec, source, task, wanted)


def _labelled(source: Source, task: Task, listed: list[Reference], wanted: str) -> Change | Cannot:
    """A label such as `[US2]` behind those there are, else behind the number."""
    if not wanted.startswith("US") or "." in wanted:
        return Cannot("Tasks of spec-kit name user stories only, such as US1.")
    if listed:
        at = source.lines[task.line - 1].text.find("]", listed[-1].span.end) + 1
    else:
        text = source.lines[task.line - 1].text
        at = task.id_span.end
        at = text.find("[P]", at) + len("[P]") if text[at:].lstrip().startswith("[P]") else at
    return put_in(task.line, at, f" [{wanted}]")


def _new_line(spec: Spec, source: Source, task: Task, wanted: str) -> Change:
    text = source.lines[task.line - 1].text
    indent = text[: len(text) - len(text.lstrip(" \t"))]
    before, after = next(_lines_of_siblings(spec, source, task), ("  - _Requirements: ", "_"))
    line = f"{indent}{before}{wanted}{after}"
    facts = [meta.span.line for meta in task.meta if meta.span.line > task.line]
    last = min(facts) - 1 if facts else task.last
    return put_in(last, len(source.lines[last - 1].text), f"\n{line}")


def _lines_of_siblings(spec: Spec, source: Source, task: Task) -> Iterator[tuple[str, str]]:
    """What stands before and behind the list of other tasks, the nearest first, without the indentation of the task itself."""
    for other in sorted(spec.tasks, key=lambda other: abs(other.line - task.line)):
        box = source.lines[other.line - 1].text
        indent = box[: len(box) - len(box.lstrip(" \t"))]
        for meta in other.meta:
            text = source.lines[meta.span.line - 1].text
            alone = sum(each.span.line == meta.span.line for each in other.meta) == 1
            if (
                meta.label == "requirements"
                and meta.span.line > other.line
                and alone
                and text.startswith(indent)
                and _is_closed(text, meta.span)
            ):
                yield text[len(indent) : meta.span.start], text[meta.span.end :].rstrip()


def _is_closed(text: str, span: Span) -> bool:
    return text[span.end :].strip() in {"_", "", "**", "\\_"} and ("_" not in text[: span.start] or text.rstrip().endswith("_"))


def _without(spec: Spec, source: Source, task: Task, reference: Reference, written: str) -> Change:
    rest = entry_without(reference, written, source)
    if rest:
        return exchanged(reference.span, rest)
    line = reference.span.line
    text = source.lines[line - 1].text
    if line == task.line and spec.dialect == "spec-kit":
        start, end = text.rfind("[", 0, reference.span.start), text.find("]", reference.span.end) + 1
        return Change((line, start), (line, end + len(text[end:]) - len(text[end:].lstrip(" \t"))), "")
    same = [each for each in task.references if each.span.line == line and each.kind == "requires"]
    at = same.index(reference)
    if at > 0:
        return Change((line, same[at - 1].span.end), (line, reference.span.end), "")
    if len(same) > 1:
        return Change((line, reference.span.start), (line, same[1].span.start), "")
    metas = [meta for meta in task.meta if meta.span.line == line]
    if len(metas) == 1 and line > task.line and squeezed_label(metas[0].label) == "requirements":
        above = source.lines[line - 2].text
        return Change((line - 1, len(above)), (line, len(text)), "")
    return exchanged(reference.span, "none")
