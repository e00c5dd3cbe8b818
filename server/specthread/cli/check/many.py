"""Many specs checked on all processors; few are checked where they are, since starting processes takes as long as checking dozens."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

from specthread.cli.check.discovery import SpecFolder
from specthread.cli.check.reading import Checked, checked
from specthread.spec.levels import CheckSettings

Work = tuple[SpecFolder, CheckSettings]

FEW = 50
"""Specs up to which no process is started."""


def all_checked(work: Sequence[Work]) -> Iterator[Checked]:
    """Checks the specs and yields what was found in each, in their order."""
    processors = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
    if len(work) <= FEW or processors == 1:
        return (checked(*each) for each in work)
    return _shared(work, processors)


def _shared(work: Sequence[Work], processors: int) -> Iterator[Checked]:
    from multiprocessing import get_context  # noqa: PLC0415  only many specs need it

    # A fork has the linter loaded already; this program has one thread, so nothing can be held in a fork that nobody would let go.
    share = max(1, min(32, len(work) // (4 * processors)))
    with get_context("fork").Pool(min(processors, len(work))) as pool:
        yield from pool.imap(_checked, work, chunksize=share)


def _checked(work: Work) -> Checked:
    return checked(*work)
