"""Edits of a task list: the state of a box, a new task, and a task moved elsewhere with everything below it."""

from collections.abc import Iterable, Sequence

from specthread.spec.boxes import TaskState, states_of
from specthread.spec.changes import Cannot, Changes, exchanged, put_in, spec_with
from specthread.spec.document import Change, DocumentName, Span, squeezed
from specthread.spec.rename import reference_changes, renaming
from specthread.spec.renumber import is_ticket, next_number, next_ticket
from specthread.spec.source import Source
from specthread.spec.spec import Spec
from specthread.spec.symbols import Symbol
from specthread.spec.task_style import Place, blanks_before, box_like, family_at, gap_between, indent_at, model_for, sign_like, sign_of
from specthread.spec.task_tree import family_of, index_of, outline, parents_of, subtree_of
from specthread.spec.tasks import Task


def set_state(spec: Spec, task_id: str, state: TaskState) -> Changes | Cannot:
    """The change of one character that gives a task's box this state, in the signs of the dialect."""
    index = index_of(spec.tasks, task_id)
    if spec.tasks_name is None or index is None:
        return Cannot(f"There is no task {task_id}.")
    task, meaning = spec.tasks[index], states_of(spec.dialect)
    mark = next((mark for mark, means in meaning.items() if means == state), None)
    if mark is None:
        return Cannot(f"Task lists of this kind have no sign for “{state.replace('_', ' ')}”.")
    if meaning.get(task.state_raw) == state:
        return {}
    return {spec.tasks_name: (exchanged(task.box, mark),)}


def add_task(spec: Spec, title: str, place: Place | None = None) -> Changes | Cannot:
    """The change that adds a task with the next free number of its siblings, in their style; at the end where no place is given."""
    title = squeezed(title)
    if spec.tasks_name is None or not title:
        return Cannot("A new task needs a tasks document and a title.")
    source, tasks = spec.sources[spec.tasks_name], spec.tasks
    place = place or next((Place("after", task.id) for task in reversed(tasks) if task.parent is None), None)
    if place is None:
        number = "T001" if spec.dialect == "spec-kit" else "1."
        last = next((index + 1 for index in reversed(range(len(source.lines))) if source.lines[index].text.strip()), 0)
        text = f"- [ ] {number} {title}"
        change = put_in(last, len(source.lines[last - 1].text), f"\n\n{text}") if last else put_in(1, 0, f"{text}\n")
    else:
        target = index_of(tasks, place.id)
        if target is None or (place.kind == "below" and is_ticket(place.id)):
            return Cannot(f"There is no task {place.id} that could have one {place.kind} it.")
        number = next_ticket(tasks) if is_ticket(place.id) else next_number(tasks, family_at(place))
        last = max(tasks[each].last for each in subtree_of(tasks, target))
        line = indent_at(source, tasks, target, place) + box_like(source, model_for(tasks, target, place), number) + title
        change = put_in(last, len(source.lines[last - 1].text), "\n" * (1 + gap_between(source, tasks, family_at(place))) + line)
    changes = {spec.tasks_name: (change,)}
    kept = [(task.id, task.title) for task in tasks]
    made = [(task.id, task.title) for task in spec_with(spec, changes).tasks]
    added = (number.rstrip("."), title)
    if len(made) != len(kept) + 1 or added not in made or [each for each in made if each != added] != kept:
        return Cannot(f"“{title}” would not be read as a task of its own here. Choose a plainer title.")
    return changes


def move_task(spec: Spec, task_id: str, place: Place) -> Changes | Cannot:
    """The changes that move a task and its subtasks; among new siblings it takes their next free number, and what names it follows."""
    tasks = spec.tasks
    index, target = index_of(tasks, task_id), index_of(tasks, place.id)
    if spec.tasks_name is None or index is None or target is None:
        return Cannot(f"There is no task {task_id if index is None else place.id}.")
    moved = subtree_of(tasks, index)
    reason = _refusal(tasks, moved, target, place)
    if reason:
        return Cannot(reason)
    order = _order(tasks, moved, target)
    stays = family_of(task_id) == family_at(place) or is_ticket(task_id)
    if stays and order == list(range(len(tasks))):
        return {}
    number = task_id if stays else next_number(tasks, family_at(place))
    changes = _moving(spec, spec.tasks_name, moved, target, place, number)
    before, after = outline(spec, range(len(tasks))), spec_with(spec, changes)
    parent = target if place.kind == "below" else parents_of(tasks)[target]
    before[index] = (*before[index][:-1], parent)
    if len(after.tasks) != len(tasks) or outline(after, order) != before:
        return Cannot(f"Task {task_id} would be read otherwise there. Move it by hand.")
    return changes


def _refusal(tasks: Sequence[Task], moved: Sequence[int], target: int, place: Place) -> str:
    names = [task.id for task in tasks]
    if twice := next((names[each] for each in moved if names.count(names[each]) > 1), ""):
        return f"Two tasks carry the number {twice}. Renumber the tasks first."
    if moved != list(range(moved[0], moved[0] + len(moved))):
        return f"The subtasks of {names[moved[0]]} do not all stand right below it. Move those first."
    if target in moved:
        return f"Task {names[moved[0]]} cannot be moved into itself."
    if is_ticket(place.id) and place.kind == "below":
        return "Tickets have no subtasks."
    return ""


def _order(tasks: Sequence[Task], moved: Sequence[int], target: int) -> list[int]:
    """The indexes of the tasks as they stand after the move."""
    last = max(each for each in subtree_of(tasks, target) if each not in moved)
    rest = [each for each in range(len(tasks)) if each not in moved]
    return [*(each for each in rest if each <= last), *moved, *(each for each in rest if each > last)]


def _moving(spec: Spec, tasks_name: DocumentName, moved: Sequence[int], target: int, place: Place, number: str) -> Changes:
    tasks, source = spec.tasks, spec.sources[tasks_name]
    root = tasks[moved[0]]
    first, last = root.line, max(tasks[each].last for each in moved)
    renamed = renaming(Symbol("task", root.id), Symbol("task", number))
    changes: dict[DocumentName, list[Change]] = {}
    for name, change in reference_changes(spec, renamed):
        changes.setdefault(name, []).append(change)
    own = changes.pop(tasks_name, [])
    own += [exchanged(tasks[each].id_span, renamed(Symbol("task", tasks[each].id)).id) for each in moved]
    if number != root.id:
        end = root.id_span.end
        sign = Span(root.line, end, end + len(sign_of(source, root)))
        own.append(exchanged(sign, sign_like(source, model_for(tasks, target, place), number)))
    inside = [change for change in own if first <= change.start[0] <= last]
    indent = indent_at(source, tasks, target, place)
    text = "\n".join(_indented(line, blanks_before(source, root), indent) for line in _lines_with(source, first, last, inside))
    behind = max(tasks[each].last for each in subtree_of(tasks, target) if each not in moved)
    behind = last if behind < first and all(not line.text.strip() for line in source.lines[behind : first - 1]) else behind
    gap = "\n" * (1 + gap_between(source, tasks, family_at(place)))
    kept = [change for change in own if change not in inside]
    added = put_in(behind, len(source.lines[behind - 1].text), gap + text)
    changes[tasks_name] = [*kept, _taken_out(source, first, last), added]
    return {name: tuple(each) for name, each in changes.items()}


def _taken_out(source: Source, first: int, last: int) -> Change:
    """The lines removed, with the blank lines above them; at the top of a document with those below."""
    above = next((number for number in range(first - 1, 0, -1) if source.lines[number - 1].text.strip()), 0)
    if above:
        return Change((above, len(source.lines[above - 1].text)), (last, len(source.lines[last - 1].text)), "")
    below = next((number for number in range(last + 1, len(source.lines) + 1) if source.lines[number - 1].text.strip()), None)
    return Change((1, 0), (below, 0) if below else (last, len(source.lines[last - 1].text)), "")


def _lines_with(source: Source, first: int, last: int, changes: Iterable[Change]) -> list[str]:
    texts = [line.text for line in source.lines[first - 1 : last]]
    for change in sorted(changes, key=lambda change: change.start, reverse=True):
        at = change.start[0] - first
        texts[at] = texts[at][: change.start[1]] + change.text + texts[at][change.end[1] :]
    return texts


def _indented(text: str, old: str, new: str) -> str:
    return new + text[len(old) :] if text.startswith(old) and text.strip() else text
