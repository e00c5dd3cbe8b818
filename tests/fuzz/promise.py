"""What must be true of every version of every document, and is asked of mutated ones."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain as joined

from fuzz.mutation import Chain, Texts
from specthread.plan.dag import build_dag
from specthread.spec.digest import content_digest
from specthread.spec.document import TASKS, Problem
from specthread.spec.edits import apply_edits, boxes, set_box
from specthread.spec.lint import lint_spec
from specthread.spec.report_json import inspect_value
from specthread.spec.source import BYTE_ORDER_MARK, Source
from specthread.spec.spec import Spec, read_spec
from specthread.spec.symbols import occurrences

SECONDS = 20.0
"""The time that a chain may take: a pattern that searches for ever is a broken promise too."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many versions one is taken of that is compared with the same read anew, and one whose boxes are ticked and fixes made."""

    anew: int
    boxes: int


SOME_VERSIONS = Share(anew=2, boxes=6)
EVERY_VERSION = Share(anew=1, boxes=1)


def broken_promise(chain: Chain, share: Share) -> str | None:
    """Returns what is wrong with a chain: the first promise that one of its versions breaks, or None."""
    before: Spec | None = None
    with _deadline():
        for number, texts in enumerate(chain.versions):
            try:
                before = read_spec(texts, chain.dialect, before)
                for complaint in _complaints(before, texts, share, number):
                    return f"version {number}: {complaint}"
            except Exception:  # noqa: BLE001  any exception is a broken promise, and that it is told is the point
                return f"version {number}: {traceback.format_exc(limit=-4)}"
    return None


@contextmanager
def _deadline() -> Iterator[None]:
    def late(_signal: int, _frame: object) -> None:
        raise TimeoutError(f"This chain takes longer than {SECONDS:g} seconds.")

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _complaints(spec: Spec, texts: Texts, share: Share, number: int) -> Iterator[str]:
    found = lint_spec(spec)
    yield from joined.from_iterable(_not_tiled(name, source) for name, source in spec.sources.items())
    yield from (f"outside of {problem.document}: {problem}" for problem in found if not _is_inside(problem, spec))
    if number % share.anew == 0:
        yield from _unlike_anew(spec, texts, found)
    if number % share.boxes == 0:
        yield from joined.from_iterable(_boxes_not_kept(content) for content in texts.values())
        yield from _fixes_that_fail(spec, found)


def _not_tiled(name: str, source: Source) -> Iterator[str]:
    mark = BYTE_ORDER_MARK if source.content.startswith(BYTE_ORDER_MARK) else b""
    text = "".join([part for line in source.lines for part in (line.text, line.ending)])
    if mark + text.encode("utf-8", "surrogateescape") != source.content:
        yield f"the lines of {name} are not its content"
    if source.offsets[-1] != len(source.content) or not {line.ending for line in source.lines} <= {"\n", "\r\n", "\r", ""}:
        yield f"the lines of {name} end somewhere else"


def _is_inside(problem: Problem, spec: Spec) -> bool:
    lines = spec.sources[problem.document].lines  # type: ignore[index]
    line, start, end = problem.span
    return 1 <= line <= max(1, len(lines)) and 0 <= start <= end <= (len(lines[line - 1].text) if lines else 0)


def _unlike_anew(spec: Spec, texts: Texts, found: tuple[Problem, ...]) -> Iterator[str]:
    anew = read_spec(texts, spec.dialect)
    for name, source in spec.sources.items():
        if [(line.text, line.mark) for line in source.lines] != [(line.text, line.mark) for line in anew.sources[name].lines]:
            yield f"the lines of {name} differ from those read anew"
    if (expected := lint_spec(anew)) != found:
        yield f"the problems differ from those found anew: {sorted({*found} ^ {*expected})}"
    if inspect_value(texts, spec.dialect, spec) != inspect_value(texts, spec.dialect, anew):
        yield "what was read differs from what is read anew"
    if occurrences(spec) != occurrences(anew):
        yield "the places of names differ from those found anew"
    if build_dag(spec.tasks) != build_dag(anew.tasks):
        yield "the order of tasks differs from that found anew"


def _boxes_not_kept(content: bytes) -> Iterator[str]:
    digest = content_digest(content)
    states = boxes(content)
    for task, state in states.items():
        ticked = apply_edits(content, set_box(content, task, "done"))
        if boxes(ticked) != {**states, task: "done"}:
            yield f"ticking task {task} changed more than its box"
        if content_digest(ticked) != digest:
            yield f"ticking task {task} changed the digest"
        if state == "todo" and _marks(content, task) == " " and apply_edits(ticked, set_box(ticked, task, "todo")) != content:
            yield f"ticking task {task} and taking it back changed the document"


def _marks(content: bytes, task: str) -> str:
    return next(each.state_raw for each in read_spec({TASKS: content}).tasks if each.id == task)


def _fixes_that_fail(spec: Spec, found: tuple[Problem, ...]) -> Iterator[str]:
    """Asks for every offered change to be made: one outside the document, or two that overlap, are told by `changed` itself."""
    for problem in found:
        source = spec.sources[problem.document]  # type: ignore[index]
        if problem.fix and source.changed(problem.fix.changes) == source.content:
            yield f"a fix changes nothing: {problem}"
