"""Changes of a spec that are offered where the cursor is: fixes of what the linter found, and what people do by hand otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final

from lsprotocol import types as lsp

from specthread.domain.model import Refusal
from specthread.protocol.lsp.actions import FIX_ALL
from specthread.protocol.lsp.arguments import Arguments
from specthread.protocol.lsp.opened import Opened, opened
from specthread.protocol.lsp.session import Session
from specthread.spec.boxes import TaskState
from specthread.spec.changes import Cannot, Changes
from specthread.spec.document import Problem
from specthread.spec.edit_reference import add_reference, remove_reference
from specthread.spec.edit_requirement import add_criterion
from specthread.spec.edit_task import add_task, move_task, set_state
from specthread.spec.fixes import fix_changes
from specthread.spec.renumber import renumber_tasks
from specthread.spec.spec import Spec
from specthread.spec.symbols import meanings, meant
from specthread.spec.task_style import Place
from specthread.spec.tasks import Task

FIX_ALL_COMMAND: Final = "specthread.fix-all"
MOST_TASKS = 5
"""Tasks that one requirement is offered to."""
_NEW_CRITERION: Final = "WHEN …, THE … SHALL …"
_NEW_TASK: Final = "New task"
_STATES: Final[tuple[tuple[TaskState, str], ...]] = (("done", "done"), ("in_progress", "in progress"), ("todo", "open"))


async def actions(session: Session, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    """What can be changed at a place."""
    there = opened(session, params.text_document.uri)
    if there is None:
        return []
    # Editors also ask by themselves wherever the cursor goes; moves, which read all that names a task again, are worked out for a person.
    is_asked = params.context.trigger_kind != lsp.CodeActionTriggerKind.Automatic
    problems, offers = await asyncio.to_thread(lambda: (_fixable(there), [*_offers(there, params.range.start.line + 1, moves=is_asked)]))
    found = [*_fixes(session, there, problems, params)]
    for title, changes in offers:
        if changes and not isinstance(changes, Cannot):
            kind = lsp.CodeActionKind.RefactorRewrite
            found.append(lsp.CodeAction(title=title, kind=kind, edit=there.workspace_edit(session, changes)))
    return found if there.is_current(session) else []


async def fix_all(session: Session, arguments: Arguments) -> str | Refusal:
    """Mends in one document, or in all open ones, whatever can be mended mechanically."""
    if not session.editor.applies_edits:
        return Refusal(code="no-edits", message="This editor takes no edits from a server.", hint="Use `specthread check` in a terminal.")
    mended = 0
    for uri in [arguments.uri] if arguments.uri else list(session.editor.workspace.text_documents):
        there = opened(session, uri)
        problems = await asyncio.to_thread(_fixable, there) if there else []
        if there is None or not problems:
            continue
        edit = there.workspace_edit(session, {there.name: fix_changes(problems)})
        answer = await session.editor.workspace_apply_edit_async(lsp.ApplyWorkspaceEditParams(label="Fix all", edit=edit))
        if not answer.applied:
            return Refusal(code="not-applied", message="The editor did not take the edit.", hint=answer.failure_reason or "Try again.")
        mended += len(problems)
    return f"{mended} finding{'' if mended == 1 else 's'} mended." if mended else "There is nothing that can be mended mechanically."


def _fixable(there: Opened) -> list[Problem]:
    return [problem for problem in there.problems if problem.fix]


def _fixes(session: Session, there: Opened, problems: list[Problem], params: lsp.CodeActionParams) -> Iterator[lsp.CodeAction]:
    first, last = params.range.start.line + 1, params.range.end.line + 1
    for problem in problems:
        if problem.fix and first <= problem.line <= last:
            shown = [each for each in params.context.diagnostics if each.code == problem.code and each.range.start.line + 1 == problem.line]
            yield lsp.CodeAction(
                title=problem.fix.title,
                kind=lsp.CodeActionKind.QuickFix,
                diagnostics=shown or None,
                is_preferred=True,
                edit=there.workspace_edit(session, {there.name: problem.fix.changes}),
            )
    if problems:
        edit = there.workspace_edit(session, {there.name: fix_changes(problems)})
        yield lsp.CodeAction(title="Fix all that can be mended mechanically", kind=FIX_ALL, edit=edit)


_Offer = tuple[str, Changes | Cannot]


def _offers(there: Opened, line: int, *, moves: bool) -> Iterator[_Offer]:
    spec = there.spec
    for name, requirement in spec.all_requirements:
        if name == there.name and requirement.line <= line <= requirement.last:
            yield f"Add a criterion to requirement {requirement.id}", add_criterion(spec, requirement.id, _NEW_CRITERION)
            at = next((each.id for each in requirement.criteria if each.line <= line <= each.last), requirement.id)
            yield from _tracing(there, at, requirement.id)
    if there.name == spec.tasks_name:
        for task in spec.tasks:
            if task.line <= line <= task.last:
                yield from ((f"Mark task {task.id} as {word}", set_state(spec, task.id, state)) for state, word in _STATES)
                yield from _without_unknown(spec, task, line)
                yield f"Add a task after {task.id}", add_task(spec, _NEW_TASK, Place("after", task.id))
                yield from _moved(spec, task) if moves else ()
        yield "Renumber tasks", renumber_tasks(spec)


def _tracing(there: Opened, wanted: str, requirement: str) -> Iterator[_Offer]:
    """The tasks that could name what no task names yet: first those that build the same requirement, then those that name nothing."""
    spec = there.spec
    if any(wanted in task.requires or requirement in task.requires for task in spec.tasks):
        return
    leaves = [task for task in spec.tasks if task.leaf]
    leaves.sort(key=lambda task: 0 if any(name.startswith(f"{requirement}.") for name in task.requires) else 1 if not task.requires else 2)
    for task in leaves[:MOST_TASKS]:
        yield f"Add {wanted} to task {task.id}", add_reference(spec, task.id, wanted)


def _without_unknown(spec: Spec, task: Task, line: int) -> Iterator[_Offer]:
    """The ids on this line that nothing carries."""
    meaning = meanings(spec)
    known = frozenset(meaning.values())
    named = [name for each in task.references if each.span.line == line and each.kind == "requires" for name in each.ids]
    for name in named if known else ():
        if meant(meaning, "requires", name) not in known:
            yield f"Take {name} out of task {task.id}", remove_reference(spec, task.id, name)


def _moved(spec: Spec, task: Task) -> Iterator[_Offer]:
    """The two places of a task one level away from its own."""
    siblings = [each.id for each in spec.tasks if each.parent == task.parent]
    above = siblings.index(task.id) - 1
    if above >= 0:
        yield f"Make task {task.id} a subtask of {siblings[above]}", move_task(spec, task.id, Place("below", siblings[above]))
    if task.parent is not None:
        yield f"Move task {task.id} out of {task.parent}", move_task(spec, task.id, Place("after", task.parent))
