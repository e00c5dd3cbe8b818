"""Whatever the documents are and whatever is done to them, an edit is made as it is meant, or it says why not."""

from hypothesis import given, settings
from hypothesis import strategies as st

from specthread.spec.boxes import states_of
from specthread.spec.changes import Cannot, contents_with, spec_with
from specthread.spec.document import DocumentName
from specthread.spec.edit_reference import add_reference, remove_reference
from specthread.spec.edit_requirement import add_criterion
from specthread.spec.edit_task import add_task, move_task, set_state
from specthread.spec.rename import rename
from specthread.spec.renumber import renumber_tasks
from specthread.spec.spec import read_spec
from specthread.spec.symbols import Symbol, occurrences
from specthread.spec.task_style import Place
from specthread.spec.task_tree import outline
from support.spec_text import DIALECTS, documents

STATES = ("todo", "in_progress", "done", "queued", "blocked")
WORDS = st.one_of(
    st.sampled_from(("new", "1.", "- [ ] x", "**b**", "(P) a", "# h", "[US1] t", "```", "<!-- a", "_Requirements: 1_")), st.text(max_size=8)
)
NEW_IDS = st.one_of(
    st.sampled_from(("1", "2", "9", "1.9", "R4", "REQ-5", "T009", "US8", "FR-009", "2.1", "7a", "x y", "", "1.1-1.2")), st.text(max_size=4)
)


@st.composite
def specs(draw):
    names = ("requirements", "design", "tasks")
    return read_spec({DocumentName(name): draw(documents()) for name in names}, draw(st.sampled_from(DIALECTS)))


@st.composite
def edits(draw, spec):
    tasks = [task.id for task in spec.tasks] or ["1"]
    ids = sorted(spec.ids) or ["1"]
    task, other, name = (draw(st.sampled_from(each)) for each in (tasks, tasks, ids))
    symbols = sorted({each.symbol for each in occurrences(spec)}) or [Symbol("task", "1")]
    place = Place(draw(st.sampled_from(("after", "below"))), other)
    made = {
        "state": lambda: set_state(spec, task, draw(st.sampled_from(STATES))),
        "add": lambda: add_task(spec, draw(WORDS), draw(st.sampled_from((place, None)))),
        "move": lambda: move_task(spec, task, place),
        "renumber": lambda: renumber_tasks(spec),
        "criterion": lambda: add_criterion(spec, name, draw(WORDS)),
        "name": lambda: add_reference(spec, task, name),
        "drop": lambda: remove_reference(spec, task, name),
        "rename": lambda: rename(spec, draw(st.sampled_from(symbols)), draw(NEW_IDS)),
    }
    return made[draw(st.sampled_from(sorted(made)))]()


@given(specs(), st.data())
@settings(max_examples=300)
def test_any_row_of_edits_leaves_what_it_does_not_name_and_is_read_again(spec, data):
    for _ in range(data.draw(st.integers(1, 4))):
        changes = data.draw(edits(spec))
        if isinstance(changes, Cannot):
            assert changes.reason.endswith((".", "”"))
            continue
        for name, content in contents_with(spec, changes).items():
            source = spec.sources[name]
            touched = {line for change in changes.get(name, ()) for line in range(change.start[0], change.end[0] + 1)}
            kept = [line.text for number, line in enumerate(source.lines, 1) if number not in touched]
            left = iter(line.text for line in read_spec({name: content}).sources[name].lines)
            assert all(any(text == other for other in left) for text in kept)
            assert name in changes or content == source.content
        spec = spec_with(spec, changes)


@given(specs(), st.data())
def test_a_box_holds_the_state_it_was_given_and_its_old_one_brings_the_document_back(spec, data):
    for task in {task.id: task for task in reversed(spec.tasks)}.values():
        state = data.draw(st.sampled_from(STATES))
        changes = set_state(spec, task.id, state)
        if isinstance(changes, Cannot):
            assert state not in states_of(spec.dialect).values()
            continue
        after = spec_with(spec, changes)
        assert next(each.state for each in after.tasks if each.id == task.id) == state
        back = set_state(after, task.id, task.state)
        if task.state_raw in " x-~" and task.state_raw in states_of(spec.dialect) and not isinstance(back, Cannot):
            assert contents_with(after, back) == {name: source.content for name, source in spec.sources.items()}


@given(specs(), st.data())
@settings(max_examples=200)
def test_after_a_rename_nothing_has_the_old_id_and_every_other_place_is_what_it_was(spec, data):
    defined = sorted({each.symbol for each in occurrences(spec) if each.is_definition})
    if not defined:
        return
    symbol, new = data.draw(st.sampled_from(defined)), data.draw(NEW_IDS)
    changes = rename(spec, symbol, new)
    if isinstance(changes, Cannot) or not changes:
        return
    before, after = occurrences(spec), occurrences(spec_with(spec, changes))
    assert symbol not in {each.symbol for each in after}
    follows = [each for each in before if each.symbol == symbol or each.symbol.id.startswith(f"{symbol.id}.")]
    assert {(each.document, each.span.line, each.symbol) for each in before if each not in follows} <= {
        (each.document, each.span.line, each.symbol) for each in after
    }
    assert len({(each.document, each.span.line, each.symbol) for each in after}) == len(
        {(each.document, each.span.line, each.symbol) for each in before}
    )


@given(specs())
@settings(max_examples=200)
def test_renumbered_tasks_have_no_gap_and_every_reference_points_at_the_same_task(spec):
    changes = renumber_tasks(spec)
    if isinstance(changes, Cannot):
        return
    after = spec_with(spec, changes)
    assert outline(after, range(len(after.tasks))) == outline(spec, range(len(spec.tasks)))
    assert renumber_tasks(after) == {}
    assert len({task.id for task in after.tasks}) == len(after.tasks)
    plain = [int(task.id) for task in after.tasks if task.id.isdecimal()]
    assert plain == list(range(1, len(plain) + 1))
