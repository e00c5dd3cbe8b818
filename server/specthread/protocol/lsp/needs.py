"""A message when a SpecTask needs a human: once, in the editor that was touched last, taken back when somebody answered elsewhere.

What waited already when an editor came is told in one sentence, without buttons: a terminal editor stops for every question. An editor whose daemon went away
is asked again: its questions went with the daemon, or came up while it had none.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from specthread.domain.ids import RunId, SpecTaskId
from specthread.domain.model import SpecTask
from specthread.domain.names import OUTSIDE
from specthread.protocol.lsp import commands_review as review
from specthread.protocol.lsp import commands_run as run
from specthread.protocol.lsp.arguments import Arguments
from specthread.protocol.lsp.ask import changed
from specthread.protocol.lsp.people import MOST_CHOICES, shortened
from specthread.protocol.lsp.session import Session
from specthread.views.progress import Need, needs

LATER = "Later"
QUIET = frozenset({"trouble"})
"""Needs that are shown but not asked about: they mostly pass."""

Act = Callable[[Session, SpecTask, Need], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class NeedKey:
    """What makes two needs the same: the SpecTask, the kind, the run, and what exactly it is about."""

    spectask: SpecTaskId
    kind: str
    run: str
    about: str


class Needs:
    """The questions of one editor."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: set[NeedKey] | None = None
        self._open: dict[NeedKey, tuple[str, asyncio.Task[None]]] = {}

    def begin(self) -> None:
        """Takes note of what waits already, and says so once, or lets it be asked where the editor is back."""
        if self._session.is_back:
            self._known = set()
            return
        spectasks = [each for each in self._session.ports.engine.visible.spectasks.values() if self._session.concerns(each)]
        waiting = {str(spectask.id): _asked(spectask, self._session.ports.secrets) for spectask in spectasks}
        self._known = {key for asked in waiting.values() for key in asked}
        names = [name for name, asked in waiting.items() if asked]
        if names and not self._session.editor.is_rich:
            shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")  # noqa: PLR2004  three are a sentence
            self._session.editor.say(f"{shown} {'needs' if len(names) == 1 else 'need'} you.")

    def changed(self, identifier: SpecTaskId) -> None:
        """Asks what is new, and takes back what was answered elsewhere."""
        spectask = self._session.ports.engine.visible.spectasks[identifier]
        if self._known is None or self._session.editor.is_rich or not self._session.concerns(spectask):
            return
        asked = _asked(spectask, self._session.ports.secrets)
        for key in [key for key in self._open if key.spectask == identifier and key not in asked]:
            self._take_back(key)
        over = {key for key in self._known if key.spectask == identifier and key not in asked}
        self._known -= over
        for key in over:
            self._session.presence.settle(key)  # should it come again, it is asked again, wherever the person is then
        for key, need in asked.items():
            if (
                key not in self._known
                and self._session.presence.is_foremost(self._session, spectask)
                and self._session.presence.claim(key, self._session)
            ):
                self._known.add(key)
                number = str(uuid.uuid4())
                self._open[key] = (number, self._session.begin(self._ask(spectask, need, key, number)))

    def _take_back(self, key: NeedKey) -> None:
        number, task = self._open.pop(key)
        self._session.presence.settle(key)
        if not task.done():
            task.cancel()
            self._session.editor.protocol.notify(lsp.CANCEL_REQUEST, lsp.CancelParams(id=number))

    async def _ask(self, spectask: SpecTask, need: Need, key: NeedKey, number: str) -> None:
        text, actions = _QUESTIONS[need.kind](spectask, need)
        titles = [*shortened(list(actions))[: MOST_CHOICES - 1], LATER] if len(actions) < MOST_CHOICES else shortened([*actions])
        params = lsp.ShowMessageRequestParams(
            type=lsp.MessageType.Info, message=text, actions=[lsp.MessageActionItem(title=title) for title in titles]
        )
        try:
            answer = await self._session.editor.protocol.send_request_async(lsp.WINDOW_SHOW_MESSAGE_REQUEST, params, msg_id=number)
        except JsonRpcException:
            self._session.presence.settle(key)  # this editor cannot ask; another one may
            return
        finally:
            self._open.pop(key, None)
        act = actions.get(answer.title) if answer else None
        if act is not None:
            await self._session.tell(act(self._session, spectask, need), need.kind)


def _asked(spectask: SpecTask, secrets: Sequence[str]) -> dict[NeedKey, Need]:
    return {
        NeedKey(spectask.id, need.kind, str(need.run or ""), _about(spectask, need)): need
        for need in needs(spectask, secrets)
        if need.kind not in QUIET and not (need.kind == "resume" and spectask.paused)  # who paused it knows
    }


def _about(spectask: SpecTask, need: Need) -> str:
    match need.kind:
        case "review":
            return str(len(spectask.plans))  # the planner has written; who saves a change of their own knows
        case "accept":
            return str(spectask.final)
        case _:
            return need.question or need.text


# --- what is asked, and what each button does -----------------------------------------------------------------------------


def _question(spectask: SpecTask, need: Need) -> tuple[str, dict[str, Act]]:
    name = f", {need.run.rpartition('/')[2]} asks" if need.run else ""
    choices: dict[str, Act] = {choice: _answering(choice, need.question) for choice in need.choices}
    return f"{spectask.id}{name}: {need.text}", {**choices, run.WRITE: _writing}


def _answering(choice: str, question: str) -> Act:
    return lambda session, spectask, need: changed(session, "answer", target=str(need.run or spectask.id), text=choice, question=question)


async def _writing(session: Session, spectask: SpecTask, need: Need) -> object:
    return await run.draft_answer(session, RunId(str(need.run or f"{spectask.id}/{OUTSIDE}")), need.question, need.text)


def _review(spectask: SpecTask, need: Need) -> tuple[str, dict[str, Act]]:
    arguments = Arguments(id=str(spectask.id))
    actions: dict[str, Act] = {
        "Open": lambda session, *_: review.open_document(session, arguments),
        "Approve…": lambda session, *_: review.approve(session, arguments),
        "Request changes…": lambda session, *_: review.request_changes(session, arguments),
    }
    return f"The documents of {spectask.id} wait for you. {need.text}", actions


def _start(spectask: SpecTask, need: Need) -> tuple[str, dict[str, Act]]:
    return f"{spectask.id}: {need.text}", {"Start": lambda session, *_: changed(session, "run", id=str(spectask.id))}


def _task(spectask: SpecTask, need: Need) -> tuple[str, dict[str, Act]]:
    actions: dict[str, Act] = {
        f"Start task {need.task}": lambda session, *_: changed(session, "run", id=str(spectask.id), tasks=[need.task]),
        "Skip it": lambda session, *_: changed(session, "skip", id=str(spectask.id), task=need.task),
    }
    return f"{spectask.id}: {need.text}", actions


def _accept(spectask: SpecTask, need: Need) -> tuple[str, dict[str, Act]]:
    arguments = Arguments(id=str(spectask.id))
    actions: dict[str, Act] = {
        "Accept…": lambda session, *_: run.accept(session, arguments),
        "Show the report": lambda session, *_: run.show_report(session, arguments),
    }
    return f"{spectask.id}: {need.text}", actions


def _retry(spectask: SpecTask, need: Need) -> tuple[str, dict[str, Act]]:
    return f"{spectask.id}: {need.text}", {"Retry": lambda session, *_: changed(session, "retry", target=str(need.run))}


def _resume(spectask: SpecTask, need: Need) -> tuple[str, dict[str, Act]]:
    return f"{spectask.id}: {need.text}", {"Resume": lambda session, *_: changed(session, "resume", target=str(spectask.id))}


_QUESTIONS: dict[str, Callable[[SpecTask, Need], tuple[str, dict[str, Act]]]] = {
    "question": _question,
    "permission": _question,
    "budget": _question,
    "review": _review,
    "run": _start,
    "task": _task,
    "accept": _accept,
    "retry": _retry,
    "resume": _resume,
}
