"""Runs of an external agent that plays a script, in a real sandbox, over a journal in memory."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

from specthread.agents.acp_client import AcpBackend
from specthread.agents.backend import Assignment
from specthread.agents.place import HOME, Place
from specthread.agents.retry import RetryPolicy
from specthread.agents.sandbox import Mount, SandboxProfile
from support import fake_acp_agent
from support.journal_port import Journal, RecordingToolbox

AGENT = Path(fake_acp_agent.__file__)


def done(name, kind="edit", status="completed", **more):
    """Returns a tool call that has ended."""
    return {"call": {"toolCallId": name, "kind": kind, "title": f"{kind} it", "status": status, **more}}


def say(text):
    return {"say": text}


class AcpStory:
    """A place with a worktree, an agent with a script, and what was journalled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.worktree = folder / "work"
        self.journal = Journal()
        self.sleeps: list[float] = []
        for each in ("work", "agent/home", "script"):
            (folder / each).mkdir(parents=True)
        shutil.copy(AGENT, folder / "script/agent.py")

    @property
    def place(self) -> Place:
        mounts = (
            Mount(source=self.worktree, target="/project", writable=True),
            Mount(source=self.folder / "agent/home", target=HOME, writable=True),
            Mount(source=self.folder / "script", target="/script", writable=True),
        )
        profile = SandboxProfile(
            mounts=mounts, cwd="/project", environment={"HOME": HOME, "PATH": "/usr/bin:/bin"}, network=True, owner=self.folder / "state"
        )
        return Place(profile=profile, notes=self.folder / "agent/notes.json")

    def script(self, *turns, **more):
        """Writes what the agent does; its log and its count of turns last over restarts."""
        text = json.dumps({"turns": turns, "log": "/script/log", "turn_file": "/script/turn", **more})
        (self.folder / "script/script.json").write_text(text)

    def backend(self, **changes) -> AcpBackend:
        async def sleep(seconds):
            self.sleeps.append(seconds)

        plain = AcpBackend(
            name="acp:fake",
            command=("python3", "/script/agent.py", "/script/script.json"),
            retry=RetryPolicy(attempts=2, base=1.0, cap=1.0),
            sleep=sleep,
            jitter=lambda: 1.0,
        )
        return replace(plain, **changes)

    async def run(self, *, backend=None, **changes):
        """Runs the agent to its end, from what the journal holds, and returns the end."""
        assignment = Assignment(
            run="demo-aaaa/ws-1",
            role="implementer",
            system="You are a worker.",
            opening="# Task 1: Do it",
            model="scripted",
            tools=(),
            history=self.journal.history(),
            place=self.place,
        )
        return await (backend or self.backend()).run(replace(assignment, **changes), self.journal, RecordingToolbox(specs=()))

    def heard(self, method="session/prompt"):
        """Returns what the agent was sent under a method: of prompts the words, else the parameters."""
        lines = (self.folder / "script/log").read_text().splitlines()
        found = [message["params"] for message in map(json.loads, lines) if message.get("method") == method]
        return [params["prompt"][0]["text"] for params in found] if method == "session/prompt" else found

    def answers(self):
        """Returns the outcomes that the agent got for its wishes."""
        messages = map(json.loads, (self.folder / "script/log").read_text().splitlines())
        return [message["result"]["outcome"] for message in messages if "result" in message]

    def said(self):
        """Returns what each finished turn holds, in short: words, and the names of the tools used."""
        return [list(map(_short, reply.content)) for _, reply, _ in self.journal.of("finished")]


def _short(block):
    return {"text": lambda: block.text, "thinking": lambda: "<thinking>", "tool_use": lambda: f"{block.name}#{block.id}"}[block.kind]()
