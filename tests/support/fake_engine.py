"""The real rules over a list in memory, behind the face that the protocols see: no git, no log, no agents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from specthread.domain import commands as c
from specthread.domain import reports
from specthread.domain.decide import decide
from specthread.domain.events import SCHEMA, Envelope
from specthread.domain.ids import Oid, RunId, SpecTaskId
from specthread.domain.model import DAEMON, Actor, Limits, Refusal, State
from specthread.domain.names import document_path
from specthread.domain.provider import waiting_sentences
from specthread.domain.state import apply
from specthread.engine.buffers import Buffers
from specthread.engine.context_cache import ContextCache
from specthread.engine.desk_draft import marker
from specthread.engine.document_history import DocumentVersion
from specthread.engine.document_merge import MergedDocument, merge_document
from specthread.engine.landing import Landing
from specthread.engine.rebuilding import Rebuilt
from specthread.engine.trace import Traces
from specthread.plan.capacity import ALONE, Crowd
from specthread.protocol.gate import Gate
from specthread.protocol.port import Fault, Ports
from specthread.protocol.wire import LINE_LIMIT, OUTSIDE_FAILED
from specthread.protocol.wire_result import AllowResult
from specthread.protocol.wire_view import TargetView
from specthread.spec.digest import content_digest
from specthread.spec.levels import DEFAULTS
from specthread.views.dry_run import Surroundings
from specthread.views.trace import TraceIndex, TraceRules
from specthread.views.trace_spectask import merged_commits, with_spectask
from support.desk_story import git_merge
from support.fake_documents import DESIGN, REQUIREMENTS, TASKS
from support.fake_pull_request import fake_pull_requests

ADA = Actor(kind="human", name="Ada", email="ada@example.org")
START = datetime(2026, 1, 2, 9, 0, tzinfo=UTC)
ID = SpecTaskId("add-json-7k3f")


@dataclass(frozen=True, slots=True)
class Accepted:
    seq: int
    envelopes: tuple[Envelope, ...]


@dataclass(frozen=True, slots=True)
class Streamed:
    run: str
    text: str


class OutsideError(Exception):
    pass


class Subscription:
    def __init__(self, engine: FakeEngine, since: int) -> None:
        self._engine = engine
        self._position = since
        self._heard = 0
        self.closed = False

    def __aiter__(self) -> AsyncIterator[Envelope | Streamed]:
        return self

    async def __anext__(self) -> Envelope | Streamed:
        while True:
            if self._position < len(self._engine.envelopes):
                self._position += 1
                return self._engine.envelopes[self._position - 1]
            if self._heard < len(self._engine.streamed):
                self._heard += 1
                return self._engine.streamed[self._heard - 1]
            await self._engine.wait_more()

    def close(self) -> None:
        self.closed = True


class FakeEngine:
    def __init__(self, folder: Path) -> None:
        self.visible = State()
        self.instance = "log-1"
        self.trouble = ""
        self.providers = ()
        self.cache = ContextCache()
        self.envelopes: list[Envelope] = []
        self.streamed: list[Streamed] = []
        self._folder = folder
        self._keys: dict[str, Accepted | Refusal] = {}
        self._buffers: dict[str, Buffers] = {}
        self._more = asyncio.Event()
        self._subscribed = asyncio.Event()

    @property
    def crowd(self) -> Crowd:
        return replace(ALONE, held=waiting_sentences(self.providers))

    async def submit(self, submission: c.Submission) -> Accepted | Refusal:
        if submission.key in self._keys:
            return self._keys[submission.key]
        answer = self._judge(submission)
        if submission.key:
            self._keys[submission.key] = answer
        return answer

    def _judge(self, submission: c.Submission) -> Accepted | Refusal:
        decision = decide(self.visible, submission.command, submission.actor)
        if isinstance(decision, Refusal):
            return decision
        made = []
        for event in decision:
            envelope = Envelope(
                seq=len(self.envelopes) + 1,
                instance=self.instance,
                schema=SCHEMA,
                host="here",
                actor=submission.actor,
                time=START + timedelta(seconds=len(self.envelopes)),
                spectask=submission.command.spectask,
                event=event,
            )
            self.visible = apply(self.visible, envelope)
            self.envelopes.append(envelope)
            made.append(envelope)
        self._wake()
        return Accepted(seq=made[-1].seq if made else 0, envelopes=tuple(made))

    def stream(self, run: str, text: str) -> None:
        self.streamed.append(Streamed(run, text))
        self._wake()

    def _wake(self) -> None:
        self._more.set()
        self._more = asyncio.Event()

    async def wait_more(self) -> None:
        await self._more.wait()

    def subscribe(self, since: int) -> Subscription:
        self._subscribed.set()
        return Subscription(self, since)

    async def wait_subscriber(self) -> None:
        await self._subscribed.wait()

    async def read_events(self, spectask: SpecTaskId, since: int = 0, run: str | None = None, limit: int | None = None) -> list[Envelope]:
        found = [each for each in self.envelopes if each.spectask == spectask and each.seq > since]
        named = [each for each in found if run is None or run in {getattr(each.event, name, None) for name in ("run", "session", "plan")}]
        return named[:limit]

    def desk(self, spectask: str = ID) -> Path:
        return self._folder / "desk" / "work" / spectask

    def place(self, spectask: SpecTaskId = ID) -> None:
        """Writes the live documents onto the desk, as a desk would."""
        for name, document in self.visible.spectasks[spectask].documents.items():
            path = self.desk(spectask) / document.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(document.content)
            self.buffers(spectask).stand(name, document.content)

    def buffers(self, spectask: SpecTaskId) -> Buffers:
        return self._buffers.setdefault(spectask, Buffers())

    async def open_draft(self, spectask: SpecTaskId, name: str, what: str) -> Path:
        return self._draft(self.desk(spectask) / f"{name}.md", what)

    async def open_new_task_draft(self, folder: Path, told) -> Path:
        self.told = told
        return self._draft(self._folder / "desk" / ".new" / folder.name / "new-task.md", "Say below what should be built.")

    def _draft(self, path: Path, what: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{marker(what)}\n\n")
        return path

    async def merge(self, _: SpecTaskId, document: str, base: bytes, ours: bytes, theirs: bytes) -> MergedDocument:
        return merge_document(git_merge, "specthread", document, base, ours, theirs)

    async def statistics(self) -> dict[str, object]:
        return {"events": len(self.envelopes)}

    # --- stories --------------------------------------------------------------------------------------------------------

    async def do(self, command: c.Command, actor: Actor = DAEMON) -> Accepted:
        answer = await self.submit(c.Submission(command=command, actor=actor))
        assert not isinstance(answer, Refusal), answer
        return answer

    async def create(self, spectask: SpecTaskId = ID, prompt: str = "Add JSON output.", **more: object) -> Accepted:
        command = c.CreateSpecTask(
            **{
                "spectask": spectask,
                "prompt": prompt,
                "repository": str(self._folder / "repository"),
                "base": Oid("a" * 40),
                "target": "main",
                "agent": "messages",
                "limits": Limits(),
                **more,
            }
        )
        return await self.do(command, ADA)

    async def plan(self, spectask: SpecTaskId = ID) -> None:
        """Writes the documents and ends planning."""
        planner = Actor(kind="session", name=f"{spectask}/plan-1")
        for name, content in (("requirements", REQUIREMENTS), ("design", DESIGN), ("tasks", TASKS)):
            await self.write(name, content, planner, spectask)
        await self.do(reports.FinishPlanning(spectask=spectask, plan=RunId(f"{spectask}/plan-1"), summary="Three documents."))

    async def write(self, name: str, content: bytes, actor: Actor = ADA, spectask: SpecTaskId = ID) -> None:
        known = self.visible.spectasks[spectask].documents.get(name)
        kind = "human" if actor.kind == "human" else "planner"
        expects = known.content if known else None
        assert document_path(spectask, name)
        await self.do(c.EditDocument(spectask=spectask, document=name, content=content, expects=expects, kind=kind), actor)
        await self.record(spectask)

    async def record(self, spectask: SpecTaskId = ID) -> None:
        """Lets git hold everything that waits for it."""
        for seq, kind in sorted(self.visible.spectasks[spectask].uncommitted.items()):
            complete = kind == "approval" and self._completes(seq)
            feature, tag = (Oid("f" * 40), f"spectask/{spectask}/v1") if complete else (None, "")
            await self.do(reports.RecordCommit(spectask=spectask, of=seq, oid=Oid("b" * 40), feature=feature, tag=tag))

    def _completes(self, seq: int) -> bool:
        return getattr(self.envelopes[seq - 1].event, "version", None) is not None

    async def approve(self, spectask: SpecTaskId = ID) -> None:
        documents = self.visible.spectasks[spectask].documents
        named = tuple((name, documents[name].digest) for name in ("requirements", "design", "tasks"))
        await self.do(c.ApproveDocuments(spectask=spectask, documents=named), ADA)
        await self.record(spectask)

    async def implement(self, spectask: SpecTaskId = ID) -> None:
        """Starts the implementation and the first two sessions."""
        await self.do(c.StartImplementation(spectask=spectask, limits=Limits()), ADA)
        await self.record(spectask)
        for number in ("1", "2"):
            await self.do(reports.StartSession(spectask=spectask, task=number))  # type: ignore[arg-type]


def fake_ports(engine: FakeEngine, folder: Path) -> Ports:  # noqa: C901  a list of small answers
    async def create(params, actor):
        if params.path == "/nowhere":
            raise OutsideError(f"{params.path} is not in a git repository.")
        spectask = SpecTaskId(f"task-{len(engine.visible.spectasks):04d}")
        command = c.CreateSpecTask(
            spectask=spectask,
            prompt=params.prompt,
            repository=params.path,
            base=Oid("a" * 40),
            target="main",
            agent=params.agent or "messages",
            limits=Limits(),
            flow=params.flow,
            execute=params.execute,
            advance=params.advance,
        )
        return await engine.submit(c.Submission(command=command, actor=actor, key=params.key))

    async def surroundings_of(_):
        return Surroundings()

    async def may_run(_):
        return None

    async def desk_of(spectask):
        return str(engine.desk(spectask))

    async def person_at(_path, _environment):
        return ADA

    async def checkouts_at(path):
        return frozenset({str(path)})

    async def hindrance():
        return ""

    async def feature_tip(spectask):
        return spectask.final or ""

    async def target_of(_):
        return TargetView()

    async def cautions_of(_):
        return ()

    async def land(spectask, person):
        if spectask.state != "done":
            return Refusal(code="not-accepted", message=f"{spectask.id} is {spectask.state}: only accepted work lands.")
        return Landing(how="moved", target=f"main of {person}", commit=spectask.final)

    async def versions_of(spectask, document):
        return tuple(
            DocumentVersion(commit=f"{number:040}", digest=content_digest(text), when=START, author="Ada", subject="Edit", content=text)
            for number, text in enumerate([spectask.documents[document].content, b"# First\n"])
        )

    async def rebuild(_, person, only):
        return (
            *(Rebuilt(spectask=name, outcome="known") for name in engine.visible.spectasks),
            Rebuilt(spectask=f"of-{person.name}-7k3f", outcome="damaged", reason="no JSON"),
        )

    async def trace_of(spectask):
        index = TraceIndex().with_file("src/encode.py", b"# Req 1.1").with_file("tests/test_encode.py", b"# Req 1")
        return with_spectask(index, spectask).with_commits(merged_commits(spectask))

    async def powers_at(path):
        return AllowResult(file=str(path / "specthread.toml"), keys={}, fingerprint="", allowed=False)

    async def allow(path, fingerprint):
        return Refusal(code="nothing-to-allow", message=f"{path} asks for nothing like {fingerprint}.")

    async def log_lines(count):
        return [f"line {number}" for number in range(count)]

    def fault_of(error):
        refusal = Refusal(code="no-repository", message=str(error), hint="Run `git init` first.")
        return Fault(code=OUTSIDE_FAILED, refusal=refusal) if isinstance(error, OutsideError) else None

    return Ports(
        engine=engine,
        state_folder=folder,
        secrets=("correct horse",),
        started=START,
        create=create,
        person_at=person_at,
        checkouts_at=checkouts_at,
        feature_tip=feature_tip,
        hindrance=hindrance,
        target_of=target_of,
        cautions_of=cautions_of,
        land=land,
        rebuild=rebuild,
        versions_of=versions_of,
        **fake_pull_requests(engine.do),
        trace_of=trace_of,
        check_settings_at=lambda _: DEFAULTS,
        trace_at=Traces(lambda _: TraceRules(), lambda: asyncio.get_running_loop().time()).at,
        surroundings_of=surroundings_of,
        may_run=may_run,
        desk_of=desk_of,
        powers_at=powers_at,
        allow=allow,
        log_lines=log_lines,
        fault_of=fault_of,
        clock=lambda: START + timedelta(hours=1),
        stop=lambda: None,
    )


@asynccontextmanager
async def serving(engine: FakeEngine, folder: Path, path: str | None = None, ports: Ports | None = None) -> AsyncIterator[str]:
    """Serves the fake on a unix socket and yields its path."""
    server = Gate(ports or fake_ports(engine, folder))
    path = path or str(folder / "s.sock")
    listener = await asyncio.start_unix_server(server.serve, path, limit=LINE_LIMIT)
    try:
        yield path
    finally:
        listener.close()
        await server.stop("the test is over")
