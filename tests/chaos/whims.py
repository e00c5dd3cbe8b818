"""What people do while faults come, beside their usual work: a SpecTask that goes on is stopped, and taken up again or not.

Each is asked of the person of the run, who does it between two other things. Sessions that spawn, and run out of time, are in the script.
"""

from __future__ import annotations

import random

from chaos.faults import Fault
from chaos.person import Person, Whim
from chaos.stage import Stage

LONGEST_REST = 6.0


async def pause(_: Stage, person: Person, draw: random.Random) -> bool:
    """Pauses a SpecTask for a while."""
    person.whims.append(Whim(verb="pause", rest=draw.uniform(0, LONGEST_REST), draw=draw))
    return True


async def cancel(_: Stage, person: Person, draw: random.Random) -> bool:
    """Cancels a SpecTask for good."""
    person.whims.append(Whim(verb="cancel", rest=None, draw=draw))
    return True


async def take_back(_: Stage, person: Person, draw: random.Random) -> bool:
    """Cancels a SpecTask, and takes that back."""
    person.whims.append(Whim(verb="cancel", rest=draw.uniform(0, LONGEST_REST), draw=draw))
    return True


WHIMS: dict[str, Fault] = {
    "SpecTask paused and resumed": pause,
    "SpecTask cancelled": cancel,
    "SpecTask cancelled and taken up again": take_back,
}
