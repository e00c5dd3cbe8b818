"""Progress as every client sees it: in lists and pages, in an editor's bar, at a terminal."""

from __future__ import annotations

from typing import Literal

from specthread.protocol.wire_base import Wire


class RangeView(Wire):
    """A figure as a range: one in ten below `low`, one in ten above `high`."""

    low: float
    likely: float
    high: float


class EtaView(Wire):
    """The seconds until a person is needed again, what they are taken from, and what comes then: documents to review, or work to accept."""

    seconds: RangeView
    basis: Literal["history", "written", "guess"]
    until: Literal["review", "acceptance"]


class PhaseView(Wire):
    """A part of the way: `done` of `total` things, and the share of its work in percent.

    In the page of a SpecTask the phases of its plan stand below its tasks; an overview has no phases of what ended.
    """

    name: str
    title: str
    percent: int
    done: int
    total: int
    phases: list[PhaseView]


class ActivityView(Wire):
    """What a run that is not over does, or waits for, in one line; `turn` is the last one it finished, `seconds` is how long ago it began."""

    run: str
    task: str
    role: str
    status: str
    turn: int
    seconds: float
    text: str


class ProgressView(Wire):
    """How far a SpecTask is. `percent` is 100 when it is accepted and not before.

    `eta` is null where nothing goes on and where somebody is needed first: then `waits` says for what. `left` says the time in words.
    """

    percent: int
    eta: EtaView | None
    left: str
    waits: str
    phases: list[PhaseView]
    activities: list[ActivityView]


class AtWorkView(Wire):
    """A SpecTask somebody works for."""

    id: str
    state: str
    progress: ProgressView
