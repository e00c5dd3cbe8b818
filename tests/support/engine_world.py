"""A whole engine on a real repository with a scripted or a given model, and the waits a story needs."""

import asyncio
from contextlib import asynccontextmanager

from specthread.agents.prices import NO_COST
from specthread.agents.provider import Provider
from specthread.agents.retry import MODEL
from specthread.agents.scripted import ScriptedModel, opening, replies_before, spoken, use
from specthread.agents.turns import MessagesBackend
from specthread.domain import commands as c
from specthread.domain.model import Actor, Refusal
from specthread.engine.creation import NewSpecTask
from specthread.engine.engine import Engine
from specthread.engine.log import EventLog
from specthread.engine.settings import RepositorySettings, RoleSettings, Settings

ADA = Actor(kind="human", name="Ada Example", email="ada@example.org")
ROLES = {role: RoleSettings(model="scripted") for role in ("planner", "implementer")}
DEADLINE = 60.0

REQUIREMENTS = """# Requirements Document

## Introduction

A calculator.

## Requirements

### Requirement 1: Arithmetic

**User Story:** As a caller, I want arithmetic, so that I can calculate.

#### Acceptance Criteria

1. WHEN a caller passes two numbers, THE Calculator SHALL return their difference.
"""
DESIGN = "# Design\n\n## Overview\n\nOne function per operation.\n"


def task(number, title, check, *, files="calc.py", depends="none", uses=""):
    """Returns the lines of one task of tasks.md."""
    used = f"  - _Uses: {uses}_\n" if uses else ""
    return f"- [ ] {number}. {title}\n  - _Requirements: 1.1_\n  - _Depends: {depends}_\n  - _Files: {files}_\n  - _Check: {check}_\n{used}"


def plan(*tasks):
    """Returns tasks.md."""
    return "# Implementation Plan\n\n" + "".join(tasks)


def story_of(tasks, sessions):
    """Returns a story: a planner that writes `tasks` and, for each task number, the steps of its session; the last step repeats."""
    planner = [
        (use("write_document", document="requirements", text=REQUIREMENTS),),
        (use("write_document", document="design", text=DESIGN),),
        (use("write_document", document="tasks", text=tasks),),
        (use("finish", summary="Planned."),),
    ]

    def reply_for(request):
        if request.role == "planner":
            steps = planner
        else:
            steps = next(steps for number, steps in sessions.items() if f"# Task {number}:" in opening(request))
        return spoken(request, *steps[min(replies_before(request), len(steps) - 1)])

    return reply_for


class World:
    """An engine with one SpecTask."""

    def __init__(self, engine, repository):
        self.engine = engine
        self.repository = repository
        self.id = ""

    @property
    def spectask(self):
        return self.engine.visible.spectasks[self.id]

    async def give(self, command, actor=ADA):
        answer = await self.engine.submit(c.Submission(command=command, actor=actor))
        assert not isinstance(answer, Refusal), answer
        return answer

    async def create(self, prompt="Add subtraction", **given):
        answer = await self.engine.create(NewSpecTask(prompt=prompt, path=self.repository, **given), ADA)
        assert not isinstance(answer, Refusal), answer
        self.id = answer.envelopes[0].spectask

    async def until(self, reached):
        """Returns when `reached(spectask)` is true of a durable state; fails with the last events after a minute."""
        seen = self.engine.subscribe(self.engine.visible.sequence)
        try:
            async with asyncio.timeout(DEADLINE):
                if reached(self.spectask):
                    return
                async for _ in seen:
                    if reached(self.spectask):
                        return
        except TimeoutError:
            envelopes = await self.engine.read_events(self.id)
            raise AssertionError("\n".join(f"{item.seq} {item.event}"[:400] for item in envelopes[-25:])) from None
        finally:
            seen.close()

    async def approve(self):
        await self.until(lambda spectask: spectask.state in {"spec_review", "revising"} and not spectask.uncommitted)
        documents = tuple((name, document.digest) for name, document in self.spectask.documents.items())
        await self.give(c.ApproveDocuments(spectask=self.id, documents=documents))
        await self.until(lambda spectask: spectask.state in {"approved", "implementing"})

    async def implement(self):
        await self.approve()
        await self.give(c.StartImplementation(spectask=self.id, limits=self.spectask.limits))

    def session(self, number=1):
        return self.spectask.sessions[f"{self.id}/ws-{number}"]


def settings(folder, **changes):
    """Returns engine settings for a test."""
    return Settings(**{"state": folder / "state", "roles": ROLES, "default_agent": "test", "transcript_interval": 0.05, **changes})


@asynccontextmanager
async def world(
    folder, repository, story, *, repository_settings=None, model=None, changes=None, forges=None, secrets=(), provider=None, prices=NO_COST, retry=MODEL, agents=None,
):  # fmt: skip
    """Runs an engine whose agent follows `story` (or is `model`), beside other `agents` by name; everything is stopped afterwards."""
    model = model or ScriptedModel(story=story)
    backend = MessagesBackend(model=model, prices=prices, provider=provider or Provider(), retry=retry)
    engine = Engine(
        settings=settings(folder, **(changes or {})),
        log=EventLog.open(folder / "events.db", host="test"),
        backends={"test": backend, **(agents or {})},
        host="test",
        owner="test",
        settings_of=lambda _: repository_settings or RepositorySettings(),
        forges=forges,
        secret_values=secrets,
    )
    await engine.start()
    try:
        yield World(engine, repository)
    finally:
        await engine.stop()
