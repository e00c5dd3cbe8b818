"""One bar per SpecTask at work in the editor's own place for progress; to cancel it is to pause the SpecTask."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import count

from lsprotocol import types as lsp

from specthread.domain.ids import SpecTaskId
from specthread.domain.model import ENDED_TASK_STATES, SpecTask
from specthread.domain.run import WORKING_RUN_STATES
from specthread.domain.runs import all_runs
from specthread.protocol.convert import summary_view
from specthread.protocol.lsp.ask import changed
from specthread.protocol.lsp.session import Session

_numbers = count(1)
TICK_SECONDS = 5.0
"""A bar moves at least this often."""


@dataclass(slots=True)
class _Bar:
    token: str
    begun: asyncio.Event = field(default_factory=asyncio.Event)


class Progress:
    """The bars of one editor."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._bars: dict[SpecTaskId, _Bar] = {}

    def changed(self, identifier: SpecTaskId) -> None:
        """Shows, moves or ends the bar of a SpecTask that changed."""
        spectask = self._session.ports.engine.visible.spectasks[identifier]
        if not self._session.editor.shows_progress or not self._session.concerns(spectask):
            return
        bar = self._bars.get(identifier)
        if _is_at_work(spectask):
            if bar is None:
                bar = self._bars[identifier] = _Bar(token=f"specthread/{identifier}/{next(_numbers)}")
                self._session.begin(self._begin(identifier, bar))
            elif bar.begun.is_set():
                message, percent = self._shown(spectask)
                self._tell(bar, lsp.WorkDoneProgressReport(message=message, percentage=percent, cancellable=True))
        elif bar is not None:
            del self._bars[identifier]
            self._session.begin(self._end(bar, self._shown(spectask)[0]))

    def cancelled(self, token: lsp.ProgressToken) -> None:
        """Pauses the SpecTask whose bar a person cancelled."""
        found = next((identifier for identifier, bar in self._bars.items() if bar.token == token), None)
        if found is not None:
            self._session.begin(changed(self._session, "pause", target=str(found)))

    async def _begin(self, identifier: SpecTaskId, bar: _Bar) -> None:
        await self._session.editor.work_done_progress.create_async(bar.token)
        spectask = self._session.ports.engine.visible.spectasks[identifier]
        message, percent = self._shown(spectask)
        begin = lsp.WorkDoneProgressBegin(title=f"{identifier}", message=message, percentage=percent, cancellable=True)
        self._tell(bar, begin)
        bar.begun.set()
        while self._bars.get(identifier) is bar:  # a long turn says nothing, and time passes
            await asyncio.sleep(TICK_SECONDS)
            self.changed(identifier)

    async def _end(self, bar: _Bar, message: str) -> None:
        await bar.begun.wait()
        self._tell(bar, lsp.WorkDoneProgressEnd(message=message))
        self._session.editor.work_done_progress.tokens.pop(bar.token, None)

    def _tell(self, bar: _Bar, value: lsp.WorkDoneProgressBegin | lsp.WorkDoneProgressReport | lsp.WorkDoneProgressEnd) -> None:
        # Beginning and end are never left out for a later report.
        subject = f"progress {bar.token}" if isinstance(value, lsp.WorkDoneProgressReport) else f"{value.kind} {bar.token}"
        self._session.editor.offer(subject, lsp.PROGRESS, lsp.ProgressParams(token=bar.token, value=value))

    def _shown(self, spectask: SpecTask) -> tuple[str, int]:
        """Returns what stands beside the bar, and how far it is: the same as in every list."""
        ports = self._session.ports
        view = summary_view(ports.engine.visible, spectask, ports.clock(), ports.engine.crowd, ports.secrets)
        return " · ".join(filter(None, (view.why, view.progress.left))), view.progress.percent


def _is_at_work(spectask: SpecTask) -> bool:
    """Tells whether anything goes on that a person may want to see moving."""
    if spectask.paused or spectask.state in ENDED_TASK_STATES:
        return False
    return any(run.state in WORKING_RUN_STATES for run in all_runs(spectask))
