"""Edits of real documents: what is done and undone leaves every byte as it was."""

from random import Random

from specthread.spec.changes import Cannot, contents_with, spec_with
from specthread.spec.edit_reference import add_reference, remove_reference
from specthread.spec.edit_task import set_state
from specthread.spec.rename import rename
from specthread.spec.spec import read_spec
from specthread.spec.symbols import Symbol, occurrences
from support.corpus import documents_in, folders, needs_corpus

CHOSEN = Random(7)


def specs():
    for folder in folders():
        dialect, contents = documents_in(folder)
        yield folder.name, read_spec(contents, dialect)


def contents(spec):
    return {name: source.content for name, source in spec.sources.items()}


@needs_corpus
def test_every_box_of_a_real_document_is_set_and_set_back():
    for folder, spec in specs():
        for task in {task.id: task for task in reversed(spec.tasks)}.values():
            ticked = spec_with(spec, set_state(spec, task.id, "done" if task.state == "todo" else "todo"))
            if task.state_raw in " x-":
                assert contents_with(ticked, set_state(ticked, task.id, task.state)) == contents(spec), (folder, task.id)


def new_id(symbol):
    if symbol.kind == "requirement" and not symbol.id.isdecimal():
        return f"{symbol.id.rstrip('0123456789')}97" if symbol.id[-1].isdecimal() else f"{symbol.id} anew"
    family = symbol.id.rpartition(".")[0]
    if "-" in symbol.id and not family:
        return f"{symbol.id.rpartition('-')[0]}-997"
    return "T997" if symbol.id.startswith("T") else f"{family}.97" if family else "97"


@needs_corpus
def test_an_id_of_a_real_folder_is_renamed_and_renamed_back():
    for folder, spec in specs():
        scenarios = {criterion.id for _, _, criterion in spec.criteria if criterion.name}
        defined = sorted(
            {each.symbol for each in occurrences(spec) if each.is_definition} - {Symbol("criterion", name) for name in scenarios}
        )
        for symbol in CHOSEN.sample(defined, min(4, len(defined))):
            changes = rename(spec, symbol, new_id(symbol))
            if isinstance(changes, Cannot):
                assert symbol.id in {"1", "2", "3"}, (folder, symbol, changes)  # a bug report counts its headings
                continue
            after = spec_with(spec, changes)
            back = rename(after, Symbol(symbol.kind, new_id(symbol)), symbol.id)
            is_split = any("," in change.text for each in changes.values() for change in each)
            if is_split:
                assert {(each.symbol, each.document) for each in occurrences(spec_with(after, back))} == {
                    (each.symbol, each.document) for each in occurrences(spec)
                }
            else:
                assert contents_with(after, back) == contents(spec), (folder, symbol)


@needs_corpus
def test_a_task_of_a_real_folder_names_a_criterion_more_and_again_not():
    for folder, spec in specs():
        for task in CHOSEN.sample(spec.tasks, min(2, len(spec.tasks))):
            name = CHOSEN.choice(sorted(spec.ids or {""}))
            changes = add_reference(spec, task.id, name)
            if changes and not isinstance(changes, Cannot):
                after = spec_with(spec, changes)
                assert contents_with(after, remove_reference(after, task.id, name)) == contents(spec), (folder, task.id, name)
