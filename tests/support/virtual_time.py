"""Time that passes only when nobody works: sleeping takes none, and everything that waits for a clock is woken in order."""

import asyncio
import heapq
import itertools
from contextlib import asynccontextmanager


class VirtualTime:
    """A clock at `now` seconds; `busy` tells whether somebody works, so that time stands still."""

    def __init__(self, busy=lambda: False):
        self.now = 0.0
        self.busy = busy
        self._sleepers = []
        self._order = itertools.count()

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        done = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._order), done))
        await done

    @asynccontextmanager
    async def passing(self):
        """Lets time pass, as the events of the loop allow, until the block ends."""
        task = asyncio.create_task(self._pass())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _pass(self):
        while True:
            for _ in range(20):  # whoever was woken goes on to its next wait
                await asyncio.sleep(0)
            if self._sleepers and not self.busy():
                self.now, _, done = heapq.heappop(self._sleepers)
                if not done.done():
                    done.set_result(None)
