"""All mechanical fixes of a document at once."""

from collections.abc import Iterable

from specthread.spec.document import Change, Problem


def fix_changes(problems: Iterable[Problem]) -> tuple[Change, ...]:
    """The changes of all problems of one document that have a fix, in order; of two that meet, the first one is made."""
    made: list[Change] = []
    fixes = sorted((problem.fix.changes for problem in problems if problem.fix), key=lambda changes: [change.start for change in changes])
    for changes in fixes:
        if all(_apart(change, other) for change in changes for other in made):
            made += changes
    return tuple(sorted(made, key=lambda change: change.start))


def _apart(one: Change, other: Change) -> bool:
    return one.start != other.start and (one.end <= other.start or other.end <= one.start)
