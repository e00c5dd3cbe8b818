"""Plays the demo's human: looks at what any client sees, types the next command, and follows what comes of it."""

from __future__ import annotations

import shlex
import time
from pathlib import Path

from specthread.agents.demo import Seen, next_step
from specthread.agents.demo import human as h
from specthread.agents.demo.material import PROMPT
from specthread.cli.ask import ask_history, ask_on, make, new_key, told
from specthread.cli.client import Client
from specthread.cli.demo_screen import DemoScreen
from specthread.cli.follow import ENDED
from specthread.cli.outcome import OUTSIDE, Failure
from specthread.protocol import wire_params
from specthread.protocol.wire_base import Wire
from specthread.protocol.wire_result import Done, NewResult, ReviewResult, RunResult
from specthread.protocol.wire_view import EventView, SpecTaskView
from specthread.spec.digest import short

PATIENCE = 90.0
"""Seconds without any event after which the story has failed."""
_REFRESH = 0.5
_GLANCE = 0.05
"""Seconds between two looks at a file that the daemon is about to put on the desk."""
_MOST_REFUSALS = 5
_MOST_LOSSES = 10
"""How often in a row the daemon may be gone before the demo gives up; it goes on where it was killed."""


def play_story(client: Client, repository: Path, screen: DemoScreen) -> SpecTaskView:
    """Plays the story to its end and returns the SpecTask as it is then; raises Failure where the story stands still."""
    screen.type(f"specthread new {shlex.quote(PROMPT)}")
    made = ask_on(client, "new", make(wire_params.NewParams, prompt=PROMPT, path=str(repository), key=new_key()), NewResult)
    view = screen.view = made.spectask
    _follow(client, view.id, screen)
    human = _Human(client=client, screen=screen)
    moved, lost = time.monotonic(), 0
    while view.state not in ENDED:
        try:
            _listen(client, screen, human.act(view))
            present = ask_on(client, "show", wire_params.SpecTaskParams(id=view.id), SpecTaskView)
            if lost:
                _follow(client, view.id, screen)
        except Failure as failure:
            lost += 1
            if failure.status != OUTSIDE or lost > _MOST_LOSSES:
                raise
            screen.note(f"{failure.message} It is started again.")
            continue
        if present.updated != view.updated:
            moved = time.monotonic()
        elif time.monotonic() - moved > PATIENCE:
            raise Failure("demo-stalled", f"The demo stands still: {view.why}", "Its daemon's log says more: specthread daemon logs.")
        view, lost = present, 0
        screen.view = view
    while _listen(client, screen, _GLANCE):
        pass
    return view


def _follow(client: Client, spectask: str, screen: DemoScreen) -> None:
    """Hears of everything from now on, and catches up with what was before."""
    with told():
        client.watch(spectask)
    for event in ask_history(client, spectask):
        screen.tell(event)


def _listen(client: Client, screen: DemoScreen, timeout: float) -> bool:
    """Shows what the daemon says within `timeout` seconds, and tells whether anything happened."""
    happened = False
    while True:
        with told():
            note = client.next_note(timeout)
        if note is None:
            return happened
        timeout = 0
        if note["method"] == "specthread/event":
            happened = True
            screen.tell(EventView.model_validate(note["params"]))
        elif note["method"] == "specthread/tick":
            screen.hear(note["params"]["run"], note["params"]["text"])


class _Human:
    """Carries out the human's steps; counts refusals, because a daemon that was killed may have forgotten that it answered."""

    def __init__(self, *, client: Client, screen: DemoScreen) -> None:
        self._client = client
        self._screen = screen
        self._refused = 0

    def act(self, view: SpecTaskView) -> float:
        """Does what is to be done now, and returns for how many seconds to listen then."""
        step = next_step(_seen(self._client, view))
        if step is None:
            return _REFRESH
        # What led to this step is shown before it.
        _listen(self._client, self._screen, 0)
        if isinstance(step, h.Save):
            return self._save(view, step)
        try:
            self._send(view.id, step)
        except Failure as failure:
            self._refused += 1
            if failure.status == OUTSIDE or self._refused == _MOST_REFUSALS:
                raise
            self._screen.note(failure.message)
            return _REFRESH
        self._refused = 0
        return 0.0

    def _save(self, view: SpecTaskView, step: h.Save) -> float:
        document = next(document for document in view.documents if document.name == step.document)
        file = Path(view.desk, document.path)
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        if step.old in text:
            self._screen.type(f"sed -i {shlex.quote(f's/{step.old}/{step.new}/')} {shlex.quote(str(file))}   # any editor will do")
            # A new file takes the old one's place, as most editors save.
            beside = file.with_name(f".{file.name}.new")
            beside.write_text(text.replace(step.old, step.new), encoding="utf-8")
            beside.replace(file)
        return _GLANCE

    def _send(self, spectask: str, step: h.HumanStep) -> None:
        verb, typed, params, result = _command(spectask, step)
        self._screen.type(f"specthread {verb} {typed}")
        ask_on(self._client, verb, params, result)


def _command(spectask: str, step: h.HumanStep) -> tuple[str, str, Wire, type[Wire]]:
    """Returns a step as verb, typed arguments, and request with its result."""
    key = new_key()
    match step:
        case h.Comment(document=file, line=line, text=text):
            typed = f"{spectask} {file}:{line} -m {shlex.quote(text)}"
            return "comment", typed, wire_params.CommentParams(id=spectask, file=file, line=line, text=text, key=key), Done
        case h.RequestChanges(message=message):
            said = f" -m {shlex.quote(message)}" if message else ""
            return "request-changes", f"{spectask}{said}", wire_params.RequestChangesParams(id=spectask, message=message, key=key), Done
        case h.Approve(documents=documents):
            typed = " ".join([spectask, *(f"{name}@{short(digest)}" for name, digest in documents)])
            named = [wire_params.DigestParams(document=name, digest=digest) for name, digest in documents]
            return "approve", typed, wire_params.ApproveParams(id=spectask, documents=named, key=key), Done
        case h.Run():
            return "run", spectask, wire_params.RunParams(id=spectask, key=key), RunResult
        case h.Answer(run=run, text=text):
            return "answer", f"{run} {shlex.quote(text)}", wire_params.AnswerParams(target=run, text=text, key=key), Done
        case h.Accept(feature=feature):
            return "accept", f"{spectask}@{feature[:12]}", wire_params.AcceptParams(id=spectask, feature=feature, key=key), Done
        case h.Save():
            raise AssertionError("a save is done in an editor")


def _seen(client: Client, view: SpecTaskView) -> Seen:
    """Returns what the human sees; the documents are read only where they are to be judged."""
    reading = view.state == "spec_review"
    review = ask_on(client, "review", wire_params.SpecTaskParams(id=view.id), ReviewResult).documents if reading else []
    asking = [need.run for need in view.needs if need.kind == "question"]
    return Seen(
        state=view.state,
        plans=sum(plan.status == "completed" for plan in view.planning),
        documents={document.name: (document.text, document.digest) for document in review},
        commented=bool(view.comments),
        approved=bool(view.documents) and all(document.approval in {"valid", "recording"} for document in view.documents),
        question=asking[0] if asking else "",
        final=view.final,
        accepted=bool(view.accepted_by),
    )
