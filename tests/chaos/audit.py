"""What must hold after a chaos run, when all work is done and put away; each finding is a sentence.

Nothing is believed here that the daemon says: the log is read row by row, git is asked with plain git, and the model's own notes count its calls.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from chaos.person import Acknowledged, Person
from chaos.script import STEPS, TASKS, line_of
from chaos.stage import Stage
from specthread.domain import events as e
from specthread.domain.ids import SpecTaskId
from specthread.domain.model import State
from specthread.domain.state import apply
from specthread.engine.log_check import check_log, read_only, rows_in_order
from specthread.engine.store import envelope_from_row
from support.git_fixture import fingerprint, git

T = TypeVar("T")
TOLD = {
    "new": e.SpecTaskCreated,
    "comment": e.CommentAdded,
    "approve": e.SpecApproved,
    "answer": e.QuestionAnswered,
    "run": e.ImplementationStarted,
    "retry": e.Event,
    "pause": e.SpecTaskPaused,
    "resume": e.SpecTaskResumed,
    "cancel": e.SpecTaskCancelled,
    "accept": e.SpecTaskAccepted,
    "archive": e.SpecTaskArchived,
}
"""What each change of the person stands in the log as."""


@dataclass(slots=True, kw_only=True)
class History:
    """All events, and the state that they give."""

    events: Sequence[e.Envelope]
    state: State
    by_spectask: dict[SpecTaskId, list[e.Envelope]] = field(default_factory=lambda: defaultdict(list))

    def of(self, kind: type[T], spectask: SpecTaskId | None = None) -> Iterator[tuple[e.Envelope, T]]:
        """Yields the events of a kind, of one SpecTask where named."""
        for envelope in self.events if spectask is None else self.by_spectask[spectask]:
            if isinstance(envelope.event, kind):
                yield envelope, envelope.event


def audit(stage: Stage, person: Person) -> list[str]:
    """Returns everything that is wrong; to be asked when the daemon has ended."""
    report = check_log(stage.state / "events.db")
    if report.faults:
        return [f"The log is damaged: {fault}" for fault in report.faults]
    history = _history(stage)
    found = [
        *_acknowledged(history, person.ledger),
        *_asked_once(history, person),
        *_calls(history, stage),
        *_stopped(history),
        *_sessions(history),
    ]
    for spectask in history.state.spectasks:
        found += [f"{spectask}: {each}" for each in (*_records(history, spectask), *_work(history, spectask, stage.deleted))]
    return [*found, *_left_behind(stage)]


def happened(stage: Stage) -> Counter[str]:
    """Returns how often what the run is also about came to be."""
    history = _history(stage)
    return Counter(
        {
            "a session spawned another": sum(1 for _ in history.of(e.SessionSpawned)),
            "a session rested for others": sum(1 for _ in history.of(e.SessionsAwaited)),
            "a session ran out of time": sum(event.reason.startswith("its time is over") for _, event in history.of(e.RunFailed)),
            "a SpecTask was paused": sum(1 for _ in history.of(e.SpecTaskPaused)),
            "a SpecTask was cancelled": sum(1 for _ in history.of(e.SpecTaskCancelled)),
            "a SpecTask was taken up again": sum(1 for _ in history.of(e.SpecTaskResumed)),
        }
    )


def is_put_away(stage: Stage) -> bool:
    """Tells whether the log says that all work is done and put away."""
    with closing(read_only(stage.state / "events.db")) as database:
        counted = dict(
            database.execute("SELECT kind, count(*) FROM events WHERE kind IN ('SpecTaskArchived', 'ArchiveFinished') GROUP BY kind")
        )
    return counted.get("SpecTaskArchived") == counted.get("ArchiveFinished")


def _history(stage: Stage) -> History:
    events, state = [], State()
    by_spectask: dict[SpecTaskId, list[e.Envelope]] = defaultdict(list)
    with closing(read_only(stage.state / "events.db")) as database:
        for row in rows_in_order(database):
            events.append(envelope_from_row(row))
            state = apply(state, events[-1])
            by_spectask[events[-1].spectask].append(events[-1])
    return History(events=events, state=state, by_spectask=by_spectask)


# --- what was asked -------------------------------------------------------------------------------------------------------


def _acknowledged(history: History, ledger: Iterable[Acknowledged]) -> Iterator[str]:
    for each in ledger:
        kind = TOLD[each.method]
        if not any(envelope.seq <= each.seq for envelope, _ in history.of(kind, SpecTaskId(each.spectask))):
            yield f"{each.method} of {each.spectask} was acknowledged at event {each.seq}, and the log has no such event."


def _asked_once(history: History, person: Person) -> Iterator[str]:
    prompts = Counter(event.prompt for _, event in history.of(e.SpecTaskCreated))
    yield from (f"“{prompt}” was asked for once and made {number} times." for prompt, number in prompts.items() if number > 1)
    if len(prompts) < person.asked:
        yield f"{person.asked} SpecTasks were asked for, and {len(prompts)} were made."
    comments = Counter(event.text for _, event in history.of(e.CommentAdded))
    yield from (f"“{text}” was said once and stands there {number} times." for text, number in comments.items() if number > 1)
    answers = Counter((event.run, event.question) for _, event in history.of(e.QuestionAnswered))
    yield from (f"Question {question} of {run} was answered {number} times." for (run, question), number in answers.items() if number > 1)
    spawned = Counter(event.work for _, event in history.of(e.SessionSpawned))
    yield from (f"“{work}” was given to {number} sessions." for work, number in spawned.items() if number > 1)


# --- what was spent -------------------------------------------------------------------------------------------------------


def _calls(history: History, stage: Stage) -> Iterator[str]:
    started = Counter((event.run, event.call) for _, event in history.of(e.CallStarted))
    yield from (f"Call {call} of {run} began {number} times." for (run, call), number in started.items() if number > 1)
    made = Counter(tuple(line.split()) for line in stage.calls.read_text().splitlines())
    yield from (f"The model was asked {number} times for call {' '.join(call)}." for call, number in made.items() if number > 1)
    known = Counter((event.run, str(event.turn)) for _, event in history.of(e.CallStarted))
    asked = Counter((run, turn) for run, turn, _ in made)
    yield from (f"The model was asked for turn {turn} of {run} without a note in the log." for run, turn in asked - known)
    finished = {(event.run, str(event.turn)) for _, event in history.of(e.CallFinished)}
    yield from (f"The log has a reply for turn {turn} of {run} that the model never gave." for run, turn in finished - asked.keys())
    turns = Counter((event.run, event.turn) for _, event in history.of(e.CallFinished))
    yield from (f"Turn {turn} of {run} was answered {number} times." for (run, turn), number in turns.items() if number > 1)
    tools = Counter((event.run, event.tool_use_id) for _, event in history.of(e.ToolFinished))
    yield from (f"Tool call {call} of {run} has {number} results." for (run, call), number in tools.items() if number > 1)


def _stopped(history: History) -> Iterator[str]:
    """Nothing is begun for a SpecTask that is paused or cancelled; a merge that began before may be told of after."""
    stopped, checked = dict[SpecTaskId, str](), set[str]()
    for envelope in history.events:
        match envelope.event:
            case e.SpecTaskPaused() | e.SpecTaskCancelled():
                stopped[envelope.spectask] = type(envelope.event).__name__
            case e.SpecTaskResumed():
                stopped.pop(envelope.spectask, None)
            case e.CheckFinished(session=session) if envelope.spectask not in stopped:
                checked.add(session)
            case e.SessionMerged(session=session) if session in checked:
                checked.remove(session)
            case e.SessionStarted(waits=True):  # a person wants it tried again, which begins when the SpecTask goes on
                pass
            case e.CallStarted() | e.SessionStarted() | e.PlanningStarted() | e.RunResumed() | e.SessionMerged() if (
                envelope.spectask in stopped
            ):
                yield f"{type(envelope.event).__name__} of {envelope.spectask} at event {envelope.seq} came after {stopped[envelope.spectask]}."


def _sessions(history: History) -> Iterator[str]:
    for spectask in history.state.spectasks.values():
        open_runs = [run.id for run in (*spectask.plans, *spectask.sessions.values()) if run.ended is None]
        stays_open = open_runs and spectask.accepted_seq  # what a cancelled SpecTask was at may be taken up again
        if spectask.state != "archived" or not spectask.put_away or stays_open or spectask.uncommitted or spectask.troubles:
            yield f"{spectask.id} is {spectask.state}; open: {open_runs}, not in git: {spectask.uncommitted}, troubles: {spectask.troubles}."
        yield from (
            f"{run.id} has {run.turn} turns, and git {run.logged_turn} of them."
            for run in (*spectask.plans, *spectask.sessions.values())
            if run.turn > run.logged_turn
        )
    if any(lock.held or lock.waiting for lock in history.state.locks.values()):
        yield f"Resources are held or waited for by nobody: {dict(history.state.locks)}."


# --- what git holds -------------------------------------------------------------------------------------------------------


def _records(history: History, spectask: SpecTaskId) -> Iterator[str]:
    repository, specs = Path(history.state.spectasks[spectask].repository), _specs(history, spectask)
    known = set(git(repository, "rev-list", specs).splitlines())
    committed = {event.of: event.oid for _, event in history.of(e.RecordCommitted, spectask)}
    for envelope in history.by_spectask[spectask]:
        if envelope.event.record and committed.get(envelope.seq) not in known:
            yield f"{type(envelope.event).__name__} at event {envelope.seq} is not on the specs branch."
    for branch in filter(None, (specs, _feature(history, spectask))):
        walk = ("log", "--first-parent", "--format=%(trailers:key=Specthread-Event,valueonly,separator=%x20)", branch)
        made = Counter(line for line in git(repository, *walk).splitlines() if line)
        yield from (f"Event {name} was committed {number} times on {branch}." for name, number in made.items() if number > 1)
    files = set(git(repository, "ls-tree", "-r", "--name-only", specs).splitlines())
    for run, turn in {(event.run, event.turn) for _, event in history.of(e.CallFinished, spectask)}:
        name = f".specs/{spectask}/sessions/{run.rpartition('/')[2]}/{turn // 100:02d}/{turn:04d}.md"
        if name not in files:
            yield f"The transcript of turn {turn} of {run} is not in git."


def _specs(history: History, spectask: SpecTaskId) -> str:
    repository = Path(history.state.spectasks[spectask].repository)
    refs = git(repository, "for-each-ref", "--format=%(refname)", f"refs/specthread/archive/{spectask}").splitlines()
    return next(ref for ref in refs if "/specs" in ref)


def _feature(history: History, spectask: SpecTaskId) -> str:
    """Returns the feature branch, or nothing where the SpecTask was cancelled before there was one."""
    return git(
        Path(history.state.spectasks[spectask].repository), "for-each-ref", "--format=%(refname)", f"refs/heads/spectask/{spectask}/feature"
    )


def _work(history: History, spectask: SpecTaskId, deleted: Container[str]) -> Iterator[str]:
    found, feature = history.state.spectasks[spectask], _feature(history, spectask)
    repository = Path(found.repository)
    first_parents = set(git(repository, "rev-list", "--first-parent", feature).splitlines()) if feature else set()
    checks = {event.session: event.verification for _, event in history.of(e.CheckFinished, spectask)}
    merges = Counter[str]()
    for _, event in history.of(e.SessionMerged, spectask):
        session = found.sessions[event.session]
        merges[session.task or event.session] += 1
        parents = git(repository, "rev-list", "--parents", "-n", "1", event.feature).split()
        if event.feature not in first_parents or not event.feature or checks[event.session].commit not in parents:
            yield f"{event.session} is said to be merged in {event.feature[:12]}, which is not so."
        if checks[event.session].outcome not in {"verified", "weak"}:
            yield f"{event.session} was merged, and its check was {checks[event.session].outcome}."
        part = session.task or event.session.rpartition("/")[2]
        lines = git(repository, "show", f"{feature}:parts/{part}.txt").splitlines()
        yield from _steps(history, spectask, lines, event.session)
        if session.task and len(lines) < STEPS:
            yield f"The part of {event.session} has {len(lines)} lines."
        # What is spawned has no check of its own that sees what went wrong, or what was in no commit and is gone with its worktree.
        lost = _carried_out(history, spectask, event.session) - set(lines) if not session.task and event.session not in deleted else ()
        yield from (f"“{line}” of {event.session} was carried out and is not there." for line in lost)
    yield from (f"{name} was merged {number} times." for name, number in merges.items() if number > 1)
    if not any(history.of(e.SpecTaskAccepted, spectask)):
        if not any(history.of(e.SpecTaskCancelled, spectask)):
            yield "It was neither accepted nor cancelled."
        return
    if set(found.tasks) - merges.keys() or len(found.tasks) != TASKS:
        yield f"Its tasks were merged so often: {dict(merges)}."
    tasks = git(repository, "show", f"{_specs(history, spectask)}:.specs/{spectask}/tasks.md")
    if tasks.count("- [x]") != TASKS or "- [ ]" in tasks:
        yield "Not every merged task is ticked in git."


def _carried_out(history: History, spectask: SpecTaskId, session: str) -> set[str]:
    """Returns the lines of the steps that ended well in a session's last attempt."""
    found = set[str]()
    for envelope in history.by_spectask[spectask]:
        match envelope.event:
            case e.SessionStarted(session=started) if started == session:
                found.clear()
            case e.ToolFinished(run=run, turn=turn, content=content) if run == session and content.endswith("[exit code 0]"):
                found.add(line_of(session, turn))
    return found


def _steps(history: History, spectask: SpecTaskId, lines: list[str], session: str) -> Iterator[str]:
    """A step that was carried out stands there once."""
    yield from (f"“{line}” was carried out {number} times." for line, number in Counter(lines).items() if number > 1)
    turns = {event.turn for _, event in history.of(e.CallFinished, spectask) if event.run == session}
    yield from (f"“{line}” was never asked for." for line in set(lines) - {line_of(session, turn) for turn in turns})


# --- what is left ---------------------------------------------------------------------------------------------------------


def _left_behind(stage: Stage) -> Iterator[str]:
    yield from (f"A process still works there: {process}" for process in stage.strangers())
    for checkout in stage.checkouts:
        after, before = fingerprint(checkout), stage.before[checkout]
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        if changed:
            yield f"The checkout {checkout.name} was changed: {sorted(changed)}."
        worktrees = git(checkout, "worktree", "list", "--porcelain").count("worktree ")
        if worktrees != 1:
            yield f"{checkout.name} has {worktrees - 1} worktrees left."
        found = [path for path in (checkout / ".git").rglob("*.lock") if path.name not in {"write.lock", "daemon.lock"}]
        locks = [path.relative_to(checkout).as_posix() for path in found if path not in stage.planted]
        if locks:
            yield f"{checkout.name} has locks left: {locks}."
        pending = git(checkout, "for-each-ref", "--format=%(refname)", "refs/specthread/pending")
        if pending:
            yield f"{checkout.name} has unpublished commits left: {pending}."
        if "error" in git(checkout, "fsck", "--strict").lower():
            yield f"{checkout.name} is damaged."
    folders = [path for place in ("worktrees", "scratch", "desk") for path in (stage.state / place).glob("[!.]*/*")]
    yield from (f"{path.relative_to(stage.state)} is left." for path in folders if any(path.rglob("*")))
