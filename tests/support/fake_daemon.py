"""The fake engine as a daemon that a command line can reach."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

from specthread import shim
from support.fake_engine import FakeEngine, serving


class Daemon:
    """The fake engine behind a real socket, in a thread; `do` runs a coroutine there."""

    def __init__(self, folder: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.engine = FakeEngine(folder)
        self._folder = folder
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self.loop.run_until_complete, args=[self._serve()])

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        path = shim.socket_path(shim.state_folder(os.environ))
        async with serving(self.engine, self._folder, path):
            self._ready.set()
            await self._stop.wait()

    def do(self, story):
        return asyncio.run_coroutine_threadsafe(story, self.loop).result(10)

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self.loop.close()
