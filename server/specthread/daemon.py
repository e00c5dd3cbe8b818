"""The daemon: puts everything together, listens on the socket, and takes it apart again in order.

One daemon serves one state folder; the lock on `daemon.lock` there says which. A daemon that a client starts tells it over a pipe when
its socket listens, or why it does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from specgit.forge import PUBLIC, own_host
from specthread import __version__, config, lost_log, shim
from specthread.agents.backend import AgentBackend
from specthread.agents.breaker import Breaker
from specthread.agents.capabilities import Learned
from specthread.agents.messages_api import CLOUDS, MessagesApiModel, credentials_present, missing_extra
from specthread.agents.prices import OwnPrice, with_own
from specthread.agents.provider import Provider
from specthread.agents.remembering import RememberingModel
from specthread.agents.retry import EFFECT, FORGE, MODEL
from specthread.agents.sandbox import CommandLimits, missing_sandbox
from specthread.agents.throttle import Throttle
from specthread.agents.turns import MessagesBackend
from specthread.daemon_agents import backends_of, credentials_of, external_agents, full_name
from specthread.daemon_log import log_to
from specthread.daemon_ports import guard_of, ports_for
from specthread.domain.model import Limits
from specthread.engine.engine import Engine
from specthread.engine.forges import TOKENS, Forges, token_of
from specthread.engine.log import EventLog
from specthread.engine.settings import ProjectCheckSettings, RepositorySettings, ReviewSettings, RoleSettings, Settings, Timeouts
from specthread.engine.store import StoreError
from specthread.limit_settings import CrowdSettings
from specthread.model_settings import model_for
from specthread.plan.capacity import MOST_SESSIONS, Capacity
from specthread.protocol.gate import Gate
from specthread.protocol.wire import LINE_LIMIT
from specthread.spec.role import ROLES
from specthread.views.trace import rules_of

MAX_CALLS = 64
"""Model calls at once that a provider gets at most, whatever it takes."""
STOP_SECONDS = 20.0
"""How long running work may take to come to rest; what takes longer is interrupted and resumes with the next start."""

_log = structlog.get_logger(__name__)


class NotStartedError(Exception):
    """Says why there is no daemon now, what to do, and the exit code."""

    def __init__(self, message: str, hint: str, status: int) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What differs between daemons: settings, agents, the secrets to keep out of transcripts, what a named agent lacks, and what keeps the settings from counting (or nothing)."""

    settings: Settings
    backends: dict[str, AgentBackend]
    secrets: tuple[str, ...]
    lacks: Callable[[str], str]
    unsound: Callable[[], str] = lambda: ""
    forges: Forges = Forges()  # noqa: RUF009  frozen
    model: RememberingModel | None = None
    """What is to have the cache of the engine as its memory."""


def parts_from(state: Path, environ: Mapping[str, str]) -> Parts:
    """Returns the parts of a person's daemon, from their settings file and environment; those of the demo's in a state folder that is a demo's."""
    demo = state / "demo"
    if "SPECTHREAD_DEMO" in environ:
        demo.write_text(environ["SPECTHREAD_DEMO"], encoding="ascii")
    if demo.exists():
        return demo_parts(state, float(demo.read_text(encoding="ascii") or 0))
    loaded = config.load(None, environ)
    chosen = loaded.settings
    keys = config.credentials(environ)
    given = (keys.api_key, keys.auth_token, *map(environ.get, TOKENS))
    agent, remembering = _built_in(chosen, state, environ)
    external = external_agents(chosen.agents)

    def lacks(agent: str) -> str:
        if agent in external:
            return external[agent].lacks(environ)
        if agent == MessagesBackend.name and chosen.messages.provider:
            return missing_extra(chosen.messages.provider)
        ready = agent != MessagesBackend.name or chosen.messages.base_url or credentials_present()
        return "" if ready else "There is no key for the Messages API, and no other agent was chosen."

    def unsound() -> str:
        now = config.load(None, environ)
        if now.problems:
            return f"Your settings cannot be used: {now.problems[0]}"
        return "" if now == loaded else "Your settings have changed since the daemon started, and do not count yet."

    return Parts(
        settings=_settings(state, chosen, full_name(chosen.agent, external)),
        backends={MessagesBackend.name: agent, **backends_of(external, environ)},
        secrets=tuple(dict.fromkeys(key for key in (*given, *credentials_of(external, environ)) if key)),
        lacks=lacks,
        unsound=unsound,
        forges=_forges(chosen, environ),
        model=remembering,
    )


def _settings(state: Path, chosen: config.Settings, agent: str) -> Settings:
    return Settings(
        state=state,
        roles={role: _role(chosen, role) for role in dict.fromkeys(("planner", *ROLES, *chosen.roles))},
        lacks_sandbox=missing_sandbox(),
        permissions=chosen.permissions,
        quota_mb=chosen.sandbox.quota_mb,
        first_port=chosen.sandbox.first_port,
        command_limits=CommandLimits(memory_mb=chosen.sandbox.memory_mb, cpu_seconds=chosen.sandbox.cpu_seconds),
        limits=Limits(**{each.name: getattr(chosen.limits, each.name) for each in fields(Limits)}),
        day_usd=chosen.limits.day_usd,
        context_depth=chosen.context.depth,
        context_characters=chosen.context.characters,
        review=ReviewSettings(**chosen.review),
        default_agent=agent,
        capacity=_capacity(chosen.limits.crowd, chosen.resources),
        retry=replace(EFFECT, **chosen.retry.get("effect", {})),
    )


def _built_in(chosen: config.Settings, state: Path, environ: Mapping[str, str]) -> tuple[MessagesBackend, RememberingModel | None]:
    """Returns the agent over the Messages API, and its model where that is to remember what planners read."""
    provider = _provider(chosen, environ)
    model = MessagesApiModel(
        api_key=config.credentials(environ).api_key,
        base_url=chosen.messages.base_url,
        exhausted=provider.hold,
        learned=Learned(state / "capabilities.json"),
        probes=True,
        cloud=chosen.messages.provider,
        tools=chosen.messages.tools,
    )
    server = f"{chosen.messages.provider} {chosen.messages.base_url or environ.get('ANTHROPIC_BASE_URL', '')}"
    remembering = RememberingModel(model, server=server) if chosen.messages.remember else None
    prices = with_own({name: OwnPrice(**each) for name, each in chosen.prices.items()}, chosen.messages.provider)
    retry = replace(MODEL, **chosen.retry.get("model", {}))
    return MessagesBackend(model=remembering or model, prices=prices, room=model.room, provider=provider, retry=retry), remembering


def _capacity(chosen: CrowdSettings, resources: Mapping[str, int]) -> Capacity:
    return Capacity(sessions=chosen.sessions or MOST_SESSIONS, roles=chosen.roles, agents=chosen.agents, resources=resources)


def _provider(chosen: config.Settings, environ: Mapping[str, str]) -> Provider:
    """Returns the gate of the one Messages API that this daemon asks; it belongs to that address and that key."""
    given = dict(chosen.provider)
    throttle = Throttle(most=given.pop("max_calls", MAX_CALLS))
    names = {"first_wait": "first", "longest_wait": "longest"}
    breaker = Breaker(**{names.get(name, name): value for name, value in given.items()})
    if chosen.messages.provider and not chosen.messages.base_url:
        return Provider(name=CLOUDS[chosen.messages.provider].title, throttle=throttle, breaker=breaker)
    host = urlsplit(chosen.messages.base_url or environ.get("ANTHROPIC_BASE_URL") or "https://api.anthropic.com").netloc
    return Provider(name=host.rpartition("@")[2], throttle=throttle, breaker=breaker)


def _forges(chosen: config.Settings, environ: Mapping[str, str]) -> Forges:
    own = {host: own_host("github" if kind == "github" else "gitlab", host) for host, kind in chosen.forges.items()}
    retry = replace(FORGE, **chosen.retry.get("forge", {}))
    return Forges(hosts={**own, **PUBLIC}, token=token_of(environ), retry=retry)


def demo_parts(state: Path, pause: float) -> Parts:
    """Returns the parts of the demo's daemon: a scripted agent that waits `pause` seconds between words, no key, no cost."""
    from specthread.agents.demo import demo_backend  # noqa: PLC0415  only the demo plays it

    agent = demo_backend(pause=pause)
    model = RoleSettings(model="scripted")
    settings = Settings(
        state=state,
        roles=dict.fromkeys(("planner", *ROLES), model),
        default_agent=agent.name,
        demo=True,
        lacks_sandbox=missing_sandbox(),
    )
    return Parts(settings=settings, backends={agent.name: agent}, secrets=(), lacks=lambda _: "")


def _role(chosen: config.Settings, role: str) -> RoleSettings:
    choice = model_for(chosen.messages, role)
    settings = RoleSettings(model=choice.model, effort=choice.effort or None)
    return settings.with_file(said) if (said := chosen.roles.get(role)) else settings


def repository_settings(checkout: Path, environ: Mapping[str, str]) -> RepositorySettings:
    """Returns what a repository adds, as far as a human allowed it."""
    loaded = config.load(checkout, environ)
    for problem in loaded.problems:
        _log.warning("settings", problem=str(problem))
    chosen = loaded.settings
    return RepositorySettings(
        share=chosen.environment.share,
        setup=chosen.environment.setup,
        cleanup=chosen.environment.cleanup,
        setup_timeout=float(chosen.environment.timeout),
        sparse=chosen.worktrees.sparse,
        include=chosen.worktrees.include,
        project_check=chosen.project_check,
        check_timeout=chosen.check_timeout,
        checks=ProjectCheckSettings(**chosen.checks),
        timeouts=Timeouts(every=chosen.limits.crowd.timeout, roles=chosen.limits.crowd.role_timeouts),
        trace=rules_of(**asdict(chosen.trace)),
        roles=chosen.roles,
    )


def run(
    state: Path,
    environ: Mapping[str, str],
    ready_fd: int | None,
    make_parts: Callable[[Path, Mapping[str, str]], Parts] = parts_from,
) -> int:
    """Serves until it is told to stop, and returns the exit code; `ready_fd` is told when the socket listens, or why it does not."""
    tell = _teller(ready_fd)
    try:
        with _only_daemon_of(state) as leaving:
            secrets: list[str] = []
            _start_log(state / "daemon.log", secrets)
            parts = make_parts(state, environ)
            secrets += parts.secrets
            asyncio.run(_serve(state, environ, parts, tell, leaving))
    except NotStartedError as error:
        tell(json.dumps({"message": error.message, "hint": error.hint}))
        sys.stderr.write(f"{error.message}\n{error.hint}\n")
        return error.status
    return 0


def _start_log(file: Path, secrets: Sequence[str]) -> None:
    try:
        log_to(file, secrets)
    except OSError as error:
        raise NotStartedError(f"The log {file} cannot be written: {error.strerror}.", "Put that right and try again.", 3) from error


async def _serve(state: Path, environ: Mapping[str, str], parts: Parts, tell: Callable[[str], None], leaving: Callable[[], None]) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    engine = _engine(state, environ, parts)
    limits = parts.settings.limits
    gate = Gate(ports_for(engine, limits=limits, state=state, environ=environ, started=datetime.now(UTC), stop=stopping.set))
    engine.doors.begin(
        gate.serve_bound
    )  # before the engine starts, so that a door of a session at work could open at once; external agents are given none yet
    try:
        await engine.start()
    except StoreError as error:
        raise NotStartedError(str(error), error.hint, 3) from error
    if engine.visible.sequence:
        lost_log.note_begun(state)
    gc.freeze()  # what was read back is not looked through again: a collection of so much would hold everything up for a tenth of a second
    path, listener = await _listen(state, gate)
    _log.info("listening", socket=path, version=__version__, instance=engine.instance)
    tell("ready")
    await stopping.wait()
    _log.info("stopping")
    leaving()
    listener.close()
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108  a text, as everywhere in shim
    await gate.stop("The daemon was told to stop.")
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await engine.stop()
    except TimeoutError:
        _log.warning("stopped without waiting any longer")


def _engine(state: Path, environ: Mapping[str, str], parts: Parts) -> Engine:
    host = socket.gethostname()
    _require_log(state)
    try:
        log = EventLog.open(state / "events.db", host=host)
    except StoreError as error:
        raise NotStartedError(str(error), error.hint, 3) from error
    engine = Engine(
        settings=parts.settings,
        log=log,
        backends=parts.backends,
        host=host,
        owner=f"process {os.getpid()}, state folder {state}",
        settings_of=lambda checkout: repository_settings(checkout, environ),
        secret_values=parts.secrets,
        guard=guard_of(parts, environ),
        forges=parts.forges,
    )
    if parts.model:
        parts.model.memory = engine.cache
    return engine


def _require_log(state: Path) -> None:
    """Refuses to begin with nothing where there were SpecTasks: a person would believe that they are gone."""
    allowed = lost_log.take_leave(state)
    if lost_log.is_lost(state) and not allowed:
        message = f"The event log {state / 'events.db'} is empty, although there were SpecTasks here."
        hint = "Restore it from a copy. Without one, run `specthread rebuild` in each repository: it reads the SpecTasks back from git."
        raise NotStartedError(message, hint, 3)


async def _listen(state: Path, gate: Gate) -> tuple[str, asyncio.Server]:
    try:
        path = shim.socket_path(str(state))
        before = os.umask(0o177)
        try:
            # A socket file left by a daemon that died is replaced: the lock says that nobody listens there.
            return path, await asyncio.start_unix_server(gate.serve, path, limit=LINE_LIMIT)
        finally:
            os.umask(before)
    except shim.AttachError as error:
        raise NotStartedError(error.message, error.hint, 3) from error
    except OSError as error:
        hint = "Free some space, or name another state folder in SPECTHREAD_STATE."
        raise NotStartedError(f"The socket cannot be made: {error.strerror or error}.", hint, 3) from error


@contextlib.contextmanager
def _only_daemon_of(state: Path) -> Iterator[Callable[[], None]]:
    """Holds the state folder's lock; yields what to call once this daemon is about to leave, so that its successor waits."""
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (state / "daemon.lock").open("a+", encoding="utf-8")
    except OSError as error:
        hint = "Name another state folder in SPECTHREAD_STATE, or free some space."
        raise NotStartedError(f"The state folder {state} cannot be used: {error.strerror}.", hint, 3) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            if not lock.read().startswith("leaving"):
                raise _taken(state) from None
            fcntl.flock(lock, fcntl.LOCK_EX)
        _write(lock.fileno(), f"process {os.getpid()}, version {__version__}")
        yield lambda: _write(lock.fileno(), f"leaving, process {os.getpid()}")


def _taken(state: Path) -> NotStartedError:
    owner = (state / "daemon.lock").read_text(encoding="utf-8", errors="replace").strip()
    hint = "Use that one, or stop it with `specthread daemon stop`."
    if not owner.endswith(f"version {__version__}"):
        hint = f"Stop it with `kill {owner.partition(',')[0].removeprefix('process ')}`; sessions resume with the next start."
    return NotStartedError(f"Another daemon ({owner}) uses the state folder {state}.", hint, 1)


def _write(lock: int, text: str) -> None:
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{text}\n".encode(), 0)


def _teller(ready_fd: int | None) -> Callable[[str], None]:
    """Returns what tells the starter one thing, once."""
    if ready_fd is None:
        return lambda _: None
    # The agents' processes must not keep the starter waiting.
    os.set_inheritable(ready_fd, False)
    pipe = os.fdopen(ready_fd, "w", encoding="utf-8")

    def tell(text: str) -> None:
        with contextlib.suppress(BrokenPipeError, ValueError), pipe:
            pipe.write(text)

    return tell
