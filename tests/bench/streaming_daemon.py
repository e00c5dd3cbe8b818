"""A real daemon whose planners write a small spec at once, or stream words for ever where they are asked to: `python -m bench.streaming_daemon STATE`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from specthread import daemon
from specthread.agents.backend import ModelRequest, Reply, Text
from specthread.agents.scripted import spoken, use
from specthread.agents.turns import MessagesBackend
from specthread.engine.settings import RoleSettings, Settings
from support.fake_documents import DESIGN, REQUIREMENTS, TASKS

FOR_EVER = "Never stop."
"""What a prompt contains whose planner streams for ever."""
WORD_SECONDS = 0.02


class Planner:
    """Is the model of every planner."""

    name = "bench"

    async def reply(self, request: ModelRequest, on_text: Callable[[str], None]) -> Reply:
        """Writes the documents and finishes, or says a word every fiftieth of a second until it is cancelled."""
        first = request.messages[0].content[0]
        while isinstance(first, Text) and FOR_EVER in first.text:
            await asyncio.sleep(WORD_SECONDS)
            on_text("word ")
        documents = {"requirements": REQUIREMENTS, "design": DESIGN, "tasks": TASKS}
        written = [use("write_document", document=name, text=content.decode()) for name, content in documents.items()]
        return spoken(request, *written, use("finish", summary="Three documents."))


def parts(state: Path, _: Mapping[str, str]) -> daemon.Parts:
    """Returns the parts of this daemon."""
    role = RoleSettings(model="bench")
    settings = Settings(state=state, roles={"planner": role, "implementer": role})
    return daemon.Parts(settings=settings, backends={"messages": MessagesBackend(model=Planner())}, secrets=(), lacks=lambda _: "")


if __name__ == "__main__":
    sys.exit(daemon.run(Path(sys.argv[1]), os.environ, None, parts))
