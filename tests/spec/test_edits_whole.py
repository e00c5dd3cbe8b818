"""Edits of plans that make sense: here nothing is refused, whatever the bullets, the indentation and the line endings are."""

import json

from hypothesis import given
from hypothesis import strategies as st

from specthread.spec.changes import Cannot, contents_with, spec_with
from specthread.spec.document import DocumentName
from specthread.spec.edit_reference import add_reference, remove_reference
from specthread.spec.edit_requirement import add_criterion
from specthread.spec.edit_task import add_task, move_task
from specthread.spec.rename import rename
from specthread.spec.renumber import renumber_tasks
from specthread.spec.spec import read_spec
from specthread.spec.symbols import Symbol, occurrences
from specthread.spec.task_style import Place
from specthread.spec.task_tree import parents_of, subtree_of

TREES = st.recursive(st.just([]), lambda below: st.lists(below, max_size=3), max_leaves=8)


def numbered(tree, family=""):
    for place, below in enumerate(tree, 1):
        number = f"{family}.{place}" if family else str(place)
        yield number
        yield from numbered(below, number)


@st.composite
def plans(draw):
    """A plan of our own dialect whose references all point at something."""
    counts = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    numbers = list(numbered(draw(TREES) or [[]]))
    bullet, step, end = draw(st.sampled_from("-*+")), draw(st.sampled_from(("  ", "    ", "\t"))), draw(st.sampled_from(("\n", "\r\n")))
    gap = draw(st.sampled_from(("", end)))
    requirements: list[str] = []
    for number, count in enumerate(counts, 1):
        criteria = "".join(f"{place}. THE x SHALL {number}{place}.{end}" for place in range(1, count + 1))
        requirements.append(f"### Requirement {number}: r{end}{end}{criteria}")
    named = [f"{number}.{place}" for number, count in enumerate(counts, 1) for place in range(1, count + 1)]
    named += [f"{number}.1-{number}.{count}" for number, count in enumerate(counts, 1) if count > 1] + ["R1", "Requirement 1"]
    lines = []
    for number in numbers:
        indent = step * number.count(".")
        lines.append(f"{indent}{bullet} [ ] {number}{'' if '.' in number else '.'} task {number}x")
        if entries := draw(st.lists(st.sampled_from(named), max_size=3, unique=True)):
            lines.append(f"{indent}  {bullet} _Requirements: {', '.join(entries)}_")
        if entries := draw(st.lists(st.sampled_from(numbers), max_size=2, unique=True)):
            lines.append(f"{indent}  {bullet} _Depends: {', '.join(entries)}_")
        lines += [""] if gap and "." not in number else []
    tasks = end.join(lines) + end
    if draw(st.booleans()):
        tasks += f"{end}## Dependencies{end}{end}```json{end}{json.dumps({'waves': [{'id': '1', 'tasks': numbers}]})}{end}```{end}"
    return read_spec({DocumentName("requirements"): end.join(requirements).encode(), DocumentName("tasks"): tasks.encode()})


def made(changes):
    assert not isinstance(changes, Cannot), changes
    return changes


def contents(spec):
    return {name: source.content for name, source in spec.sources.items()}


def pointers(spec):
    """What every task points at, in the words of what it points at."""
    words = {criterion.id: criterion.text for _, _, criterion in spec.criteria} | {
        requirement.id: "r" for _, requirement in spec.all_requirements
    }
    titles = {task.id: task.title for task in spec.tasks}
    graph = spec.tasks_read.graph
    waves = [sorted(titles[name] for name in wave) for wave in graph.waves] if graph else []
    return {
        task.title: ({words[name] for name in task.requires}, {titles[name] for name in task.block.depends}) for task in spec.tasks
    }, waves


@given(plans(), st.data())
def test_anything_is_renamed_and_renamed_back(spec, data):
    symbol = data.draw(st.sampled_from(sorted({each.symbol for each in occurrences(spec) if each.is_definition})))
    family = symbol.id.rpartition(".")[0]
    new = f"{family}.77" if family else "77"
    after = spec_with(spec, made(rename(spec, symbol, new)))
    assert symbol not in {each.symbol for each in occurrences(after)}
    assert pointers(after) == pointers(spec)
    assert {each.symbol for each in occurrences(after) if each.is_definition} >= {Symbol(symbol.kind, new)}
    back = spec_with(after, made(rename(after, Symbol(symbol.kind, new), symbol.id)))
    assert pointers(back) == pointers(spec)
    if symbol.kind in {"task", "requirement"}:
        assert contents(back) == contents(spec)


@given(plans(), st.data())
def test_any_task_moves_anywhere_but_into_itself(spec, data):
    tasks = spec.tasks
    index = data.draw(st.integers(0, len(tasks) - 1))
    moved = subtree_of(tasks, index)
    others = [each for each in range(len(tasks)) if each not in moved]
    if not others:
        return
    target = data.draw(st.sampled_from(others))
    place = Place(data.draw(st.sampled_from(("after", "below"))), tasks[target].id)
    after = spec_with(spec, made(move_task(spec, tasks[index].id, place)))
    assert pointers(after) == pointers(spec)
    titles = [task.title for task in after.tasks]
    root = titles.index(tasks[index].title)
    assert [titles[each] for each in subtree_of(after.tasks, root)] == [tasks[each].title for each in moved]
    above = parents_of(after.tasks)[root]
    expected = (
        tasks[target].title
        if place.kind == "below"
        else tasks[target].parent and next(task.title for task in tasks if task.id == tasks[target].parent)
    )
    assert (titles[above] if above is not None else None) == expected
    assert contents(after)["requirements"] == contents(spec)["requirements"]
    assert pointers(spec_with(after, made(renumber_tasks(after)))) == pointers(spec)


@given(plans(), st.data())
def test_a_task_is_added_anywhere_and_names_what_it_is_told_to(spec, data):
    task = data.draw(st.sampled_from(spec.tasks))
    after = spec_with(spec, made(add_task(spec, "a new one", Place(data.draw(st.sampled_from(("after", "below"))), task.id))))
    [added] = [each for each in after.tasks if each.title == "a new one"]
    assert added.parent == (added.id.rpartition(".")[0] or None)
    wanted = data.draw(st.sampled_from(sorted(spec.ids)))
    told = spec_with(after, made(add_reference(after, added.id, wanted)))
    assert next(each.requires for each in told.tasks if each.id == added.id) == (wanted,)
    assert contents_with(told, made(remove_reference(told, added.id, wanted))) == contents(after)


@given(plans(), st.data())
def test_a_criterion_more_changes_no_other(spec, data):
    _, requirement = data.draw(st.sampled_from(spec.all_requirements))
    after = spec_with(spec, made(add_criterion(spec, requirement.id, "THE x SHALL do more.")))
    assert f"{requirement.id}.{len(requirement.criteria) + 1}" in after.ids
    assert pointers(after) == pointers(spec)
