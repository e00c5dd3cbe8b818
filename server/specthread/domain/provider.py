"""How a provider of model calls stands, as plain values: what `show`, `daemon status` and a scheduler are told.

A provider is what takes model calls: a base URL with the key it is asked with. How it stands is known from its answers alone and is not part of the state: a
daemon that starts anew finds it out anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from specthread.domain.ids import RunId
from specthread.domain.model import SpecTask
from specthread.domain.names import spectask_of

Circuit = Literal["closed", "open", "half-open"]
"""`open`: nothing is sent; `half-open`: one call finds out whether it works again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderState:
    """How a provider stands: `limit` calls at once of at most `most`, and which runs wait for a place, the next one first.

    `reason` is what its last fault said, empty while all is well; `again` is when the next call may leave, None where that is now or hangs on another call.
    """

    name: str
    limit: int
    most: int
    in_flight: int = 0
    waiting: tuple[RunId, ...] = ()
    circuit: Circuit = "closed"
    reason: str = ""
    again: datetime | None = None
    wants_person: bool = False
    """Whether it stays so until somebody does what `reason` says."""

    @property
    def free(self) -> int:
        """How many calls could leave now and find a place."""
        if self.circuit != "closed" or self.again is not None:
            return 0
        return max(0, self.limit - self.in_flight - len(self.waiting))

    @property
    def trouble(self) -> str:
        """Returns how it stands in half a sentence where it takes fewer calls than it might, or nothing."""
        if self.circuit == "half-open":
            return f"one call tries whether it works again after “{self.reason}”"
        after = f" after “{self.reason}”" if self.reason else ""
        again = f"; tried again at {self.again:%H:%M:%S}" if self.again else ""
        if self.circuit == "open":
            return f"nothing is sent{after}{again}"
        return f"limit {self.limit} of {self.most}{after}{again}" if self.limit < self.most or self.again else ""


def waiting_sentences(providers: Sequence[ProviderState]) -> Mapping[RunId, str]:
    """Returns for each run whose model call waits for a place one sentence that says what it waits for."""
    return {
        run: f"Waits for {provider.name}: {provider.trouble or _full(provider)}{_before(place)}."
        for provider in providers
        for place, run in enumerate(provider.waiting)
    }


def asking_sentences(providers: Sequence[ProviderState]) -> Mapping[RunId, str]:
    """Returns, for each run whose model call waits until a person does something for its provider, a sentence that says what."""
    return {run: f"{provider.reason.rstrip('.')}." for provider in providers if provider.wants_person for run in provider.waiting}


def _full(provider: ProviderState) -> str:
    return "its one place is taken" if provider.limit == 1 else f"all {provider.limit} places are taken"


def _before(place: int) -> str:
    return f"; {place} {'waits' if place == 1 else 'wait'} before it" if place else ""


def waiting_of(spectask: SpecTask, held: Mapping[RunId, str]) -> tuple[str, int]:
    """Returns the sentence of the first run of a SpecTask that waits for its provider, and how many of its runs do."""
    mine = [sentence for run, sentence in held.items() if spectask_of(run) == spectask.id]
    return (mine[0] if mine else "", len(mine))
