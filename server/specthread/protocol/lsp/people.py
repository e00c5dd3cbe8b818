"""Talking with the person at an editor that has nothing but the protocol: choices, files to look at, and which SpecTask is meant."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from lsprotocol import types as lsp
from pygls.uris import from_fs_path

from specthread.domain.model import Refusal, SpecTask
from specthread.protocol.find import find_spectask
from specthread.protocol.lsp.arguments import Arguments
from specthread.protocol.lsp.session import Session

MOST_CHOICES = 8
"""Buttons in one message; editors show no more."""


async def choose(session: Session, question: str, options: Sequence[str]) -> str | None:
    """Puts a question with buttons; returns the option that was pressed, None where the person closed it."""
    shown = shortened(options)
    params = lsp.ShowMessageRequestParams(
        type=lsp.MessageType.Info, message=question, actions=[lsp.MessageActionItem(title=option) for option in shown]
    )
    answer = await session.editor.window_show_message_request_async(params)
    return answer.title if answer else None


def shortened(options: Sequence[str]) -> list[str]:
    """Returns the options that fit into one message; the last one stays, since it leads on."""
    return list(options) if len(options) <= MOST_CHOICES else [*options[: MOST_CHOICES - 1], options[-1]]


async def show_file(session: Session, path: Path, line: int = 1) -> None:
    """Opens a file in the editor; one that cannot be asked to is told where it is."""
    uri = from_fs_path(str(path))
    if not session.editor.shows_documents or uri is None:
        session.editor.say(f"Open {path}")
        return
    place = lsp.Position(line=line - 1, character=0)
    params = lsp.ShowDocumentParams(uri=uri, take_focus=True, selection=lsp.Range(start=place, end=place))
    answer = await session.editor.window_show_document_async(params)
    if not answer.success:
        session.editor.say(f"Open {path}")


async def show_text(session: Session, spectask: SpecTask, name: str, text: str) -> None:
    """Shows a text that is no document of its own, as a file that may be thrown away."""
    path = session.ports.state_folder / "shown" / spectask.id / name
    await asyncio.to_thread(_write, path, text)
    await show_file(session, path)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", errors="replace")


async def which(session: Session, arguments: Arguments, fits: Callable[[SpecTask], bool], what: str) -> SpecTask | Refusal | None:
    """Returns the SpecTask that is meant: named, else that of the document the person is in, else the only one of this window that fits, else the one chosen.

    None where the person chose none; `what` finishes the sentence “No SpecTask …”.
    """
    state = session.ports.engine.visible
    if arguments.id:
        return find_spectask(state, arguments.id)
    active = state.spectasks.get(session.active) if session.active else None
    if active is not None and fits(active):
        return active
    fit = [spectask for spectask in state.spectasks.values() if fits(spectask)]
    candidates = [spectask for spectask in fit if session.concerns(spectask)] or fit
    if not candidates:
        return Refusal(code="nothing-to-do", message=f"No SpecTask {what}.", hint="`specthread list` shows what each waits for.")
    if len(candidates) == 1:
        return candidates[0]
    candidates.sort(key=lambda spectask: spectask.updated or spectask.created, reverse=True)
    chosen = await choose(session, f"Several SpecTasks: which one {what}?", [str(spectask.id) for spectask in candidates])
    return state.spectasks.get(chosen) if chosen else None  # type: ignore[call-overload]  # an id that was shown
