"""Asking an editor to ask again for what it draws, when something changed that it cannot know of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from specthread.domain.ids import SpecTaskId
from specthread.protocol.lsp.session import Session

REFRESH_SECONDS = 0.5
"""Editors are asked at most so often to draw the same things anew."""


class Refresher:
    """Asks some time after the first of several changes; `can` tells whether the editor understands `ask`."""

    def __init__(self, session: Session, can: Callable[[], bool], ask: Callable[[], Awaitable[object]]) -> None:
        self._session = session
        self._can = can
        self._ask = ask
        self._task: asyncio.Task[None] | None = None

    def changed(self, spectask: SpecTaskId) -> None:
        """Notes that a SpecTask changed."""
        shown = any(shown == spectask for shown, _ in self._session.shown.values())
        if shown and self._can() and (self._task is None or self._task.done()):
            self._task = self._session.begin(self._refresh())

    async def _refresh(self) -> None:
        await asyncio.sleep(REFRESH_SECONDS)
        await self._ask()
