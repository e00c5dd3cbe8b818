"""What the daemon lends to its protocols: the engine, git's knowledge of people and folders, settings, and what exceptions mean."""

from __future__ import annotations

import asyncio
import getpass
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from specgit.errors import BlockingBranch, GitError, NoCommitYet, RepositoryBusy, UntrustedConfig
from specgit.repository import Repository
from specthread import config, config_vocabulary
from specthread.agents.acp_catalog import PREFIX
from specthread.check_settings import settings_above
from specthread.domain.ids import SpecTaskId
from specthread.domain.model import Actor, Limits, Refusal, SpecTask
from specthread.engine.creation import Guard, NewSpecTask
from specthread.engine.engine import Engine
from specthread.engine.settings import Settings
from specthread.engine.store import StoreError
from specthread.protocol.convert import limits_from
from specthread.protocol.port import Accepted, Fault, Ports
from specthread.protocol.wire import OUTSIDE_FAILED, REFUSED
from specthread.protocol.wire_params import NewParams
from specthread.protocol.wire_result import AllowResult
from specthread.protocol.wire_view import TargetView
from specthread.views.dry_run import Surroundings

_RULES_BROKEN = (NoCommitYet, BlockingBranch, RepositoryBusy, UntrustedConfig)
"""Faults of git that are refusals: the repository is well, but this may not be done in it."""


class Offer(Protocol):
    """What this daemon can do: its settings, its agents, and what they lack."""

    @property
    def settings(self) -> Settings:
        """What the engine was told."""

    @property
    def backends(self) -> Mapping[str, object]:
        """The agents by name."""

    @property
    def lacks(self) -> Callable[[str], str]:
        """Says what a named agent lacks, or nothing."""

    @property
    def unsound(self) -> Callable[[], str]:
        """Says why the person's settings do not count as they stand, or nothing."""


def ports_for(
    engine: Engine, *, limits: Limits, state: Path, environ: Mapping[str, str], started: datetime, stop: Callable[[], None]
) -> Ports:
    """Returns everything a request may use."""

    async def create(params: NewParams, actor: Actor) -> Accepted | Refusal:
        return await engine.create(_new_from(params, limits), actor, params.key)

    async def hindrance() -> str:
        refusal = await engine.hindrance(engine.default_agent)
        return f"{refusal.message} {refusal.hint}" if refusal else ""

    async def target_of(spectask: SpecTask) -> TargetView:
        moved = await engine.in_git.target_moved(spectask)
        return TargetView(behind=moved.behind, conflicts=list(moved.conflicts), has_landed=moved.has_landed)

    async def surroundings_of(spectask: SpecTask) -> Surroundings:
        return await engine.surroundings(spectask, await asyncio.to_thread(_unheard, Path(spectask.repository), environ))

    async def desk_of(spectask: SpecTaskId) -> str:
        try:
            return str(await asyncio.to_thread(engine.desk_path, spectask))
        except GitError:
            return ""

    return Ports(
        engine=engine,
        state_folder=state,
        secrets=engine.secrets,
        started=started,
        create=create,
        surroundings_of=surroundings_of,
        may_run=lambda spectask: engine.hindrance(spectask.agent),
        hindrance=hindrance,
        desk_of=desk_of,
        feature_tip=engine.in_git.feature_tip,
        target_of=target_of,
        cautions_of=engine.in_git.cautions,
        land=engine.in_git.land,
        rebuild=engine.in_git.rebuild,
        versions_of=engine.in_git.versions_of,
        plan_push=lambda spectask, remote, records: engine.pull_requests.plan(spectask, remote, records=records),
        open_pull_request=engine.pull_requests.open,
        trace_of=engine.in_git.trace_of,
        trace_at=engine.in_git.trace_at,
        check_settings_at=settings_above,
        person_at=_person_at,
        checkouts_at=lambda path: asyncio.to_thread(_checkouts, path),
        powers_at=lambda path: asyncio.to_thread(_powers, path, environ),
        allow=lambda path, fingerprint: asyncio.to_thread(_allow, path, fingerprint, environ),
        log_lines=lambda count: asyncio.to_thread(_last_lines, state / "daemon.log", count),
        fault_of=fault_of,
        clock=lambda: datetime.now(UTC),
        stop=stop,
    )


def fault_of(error: Exception) -> Fault | None:
    """Returns what an exception means to a person, or None where it is a bug."""
    code = re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__).lower()
    if isinstance(error, GitError):
        refused = isinstance(error, _RULES_BROKEN)
        return Fault(code=REFUSED if refused else OUTSIDE_FAILED, refusal=Refusal(code=code, message=str(error)))
    if isinstance(error, StoreError):
        return Fault(code=OUTSIDE_FAILED, refusal=Refusal(code="store-unavailable", message=str(error), hint=error.hint))
    if isinstance(error, OSError):
        place = f" ({error.filename})" if error.filename else ""
        sentence = f"The system refused: {error.strerror or error}{place}."
        return Fault(code=OUTSIDE_FAILED, refusal=Refusal(code="system", message=sentence, hint="Put that right and try again."))
    return None


def guard_of(offer: Offer, environ: Mapping[str, str]) -> Guard:
    """Returns what is asked before work begins: settings, keys, and what the repository wants to run. Without a sandbox, each command asks by itself."""

    async def hindrance(agent: str) -> Refusal | None:
        return await _settings_fault(offer) or _agent_fault(offer, agent)

    async def cautions(checkout: Path) -> tuple[str, ...]:
        unheard = await asyncio.to_thread(_unheard, checkout, environ)
        return (unheard,) if unheard else ()

    return Guard(hindrance=hindrance, cautions=cautions)


def _unheard(checkout: Path, environ: Mapping[str, str]) -> str:
    """Says that what the repository wants to run or permit does not count yet, or nothing."""
    powers = config.load(checkout, environ).powers
    waits = powers is not None and not powers.allowed
    return f"What {powers.file.name} asks for does not count until you allow it: `specthread allow`." if powers and waits else ""


async def _settings_fault(offer: Offer) -> Refusal | None:
    """Refuses to spend under other limits than the person believes to have set."""
    unsound = await asyncio.to_thread(offer.unsound)
    hint = "Put that right, then run `specthread daemon stop`: sessions resume with the next command, under your settings."
    return Refusal(code="settings", message=unsound, hint=hint) if unsound else None


def _agent_fault(offer: Offer, agent: str) -> Refusal | None:
    if agent not in offer.backends:
        names = ", ".join(sorted(offer.backends))
        return Refusal(code="unknown-agent", message=f"There is no agent {agent}.", hint=f"This daemon has: {names}.")
    missing = offer.lacks(agent)
    hint = "`specthread doctor` tells of all agents." if agent.startswith(PREFIX) else config.WAYS_OUT
    return Refusal(code="no-key", message=missing, hint=hint) if missing else None


def _new_from(params: NewParams, present: Limits) -> NewSpecTask:
    return NewSpecTask(
        prompt=params.prompt,
        path=Path(params.path),
        adopt=Path(params.path, params.from_spec) if params.from_spec else None,
        flow=params.flow,
        agent=params.agent,
        execute=params.execute,
        advance=params.advance,
        limits=limits_from(params.limits, present) if params.limits else None,
        priority=params.priority,
    )


async def _person_at(path: Path, environment: Mapping[str, str]) -> Actor:
    if environment.get("GIT_AUTHOR_NAME"):
        return Actor(kind="human", name=environment["GIT_AUTHOR_NAME"], email=environment.get("GIT_AUTHOR_EMAIL", ""))
    try:
        identity = await asyncio.to_thread(lambda: Repository.open(path).identity())
    except (GitError, OSError):
        identity = None
    return Actor(kind="human", name=identity.name, email=identity.email) if identity else Actor(kind="human", name=getpass.getuser())


def _checkouts(path: Path) -> frozenset[str]:
    """Returns every folder under which SpecTasks of the repository around a path may have been made: its checkouts, or the bare repository."""
    repository = Repository.open(path)
    return frozenset(map(str, (*repository.checkouts(), repository.git_dir)))


def _checkout(path: Path) -> Path:
    repository = Repository.open(path)
    return repository.checkout or repository.git_dir


def _powers(path: Path, environ: Mapping[str, str]) -> AllowResult:
    folder = _checkout(path)
    powers = config.load(folder, environ).powers
    if powers is None:
        return AllowResult(file=str(folder / config_vocabulary.REPOSITORY_FILE), keys={}, fingerprint="", allowed=False)
    return _allow_result(powers)


def _allow(path: Path, fingerprint: str, environ: Mapping[str, str]) -> AllowResult | Refusal:
    powers = config.load(_checkout(path), environ).powers
    if powers is None or powers.fingerprint != fingerprint:
        hint = "Look at what it asks for now, then allow that."
        return Refusal(code="stale-version", message="The repository's settings are not those you looked at.", hint=hint)
    config.allow(powers, environ)
    return _allow_result(replace(powers, allowed=True))


def _allow_result(powers: config.Powers) -> AllowResult:
    return AllowResult(file=str(powers.file), keys=dict(powers.keys), fingerprint=powers.fingerprint, allowed=powers.allowed)


def _last_lines(file: Path, count: int) -> list[str]:
    with file.open(encoding="utf-8", errors="replace") as log:
        return list(deque((line.rstrip("\n") for line in log), maxlen=count))
