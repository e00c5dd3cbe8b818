"""Secrets in a session's work: keys by their shape, and the values that are kept from its agent.

What git once holds is there for whoever gets the branch. So work that tells a secret goes back, and once its files are clean the commits that told it are taken off
its branch and the files committed anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from specgit.types import Oid as GitOid
from specthread.domain.text import listed, sound_text
from specthread.engine.evidence import TOLD
from specthread.engine.repositories import OpenRepository
from specthread.views.redaction import lines_with_secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaks:
    """Where the files hold secrets, as `path:line`; the last commit before the first that did; and what was merged after that one."""

    places: tuple[str, ...]
    clean: GitOid
    merged: GitOid | None

    @property
    def objection(self) -> str:
        """What the agent is told; the secret itself is never said."""
        return (
            f"Your work holds what looks like a secret, in {listed(self.places, TOLD)}. Take it out: read it from the environment or from a file that git ignores. "
            "A key that is made up, for a test, is written in two pieces. Then finish again."
        )


def leaks_in(opened: OpenRepository, start: GitOid, commit: GitOid, secrets: Sequence[str]) -> Leaks | None:
    """Returns what the commits of a session's own line after `start` tell, or None where they tell no secret."""
    line = opened.repository.log(f"{start}..{commit}", first_parent=True)[::-1]
    first = next((place for place, fact in enumerate(line) if any(_added(opened, fact.parents, fact.oid, secrets))), None)
    if first is None:
        return None
    merges = [fact.parents[-1] for fact in line[first:] if len(fact.parents) > 1]
    places = tuple(_added(opened, (start, *merges[-1:]), commit, secrets))
    return Leaks(places=places, clean=line[first].parents[0], merged=merges[-1] if merges else None)


def _added(opened: OpenRepository, parents: Sequence[GitOid], commit: GitOid, secrets: Sequence[str]) -> Iterator[str]:
    """Yields the places with a secret that stand in a commit and in none of its parents, in whichever of the changed files."""
    read, paths = opened.repository.read_all, opened.repository.changed_paths(parents[-1], commit)
    after = zip(paths, read([(commit, path) for path in paths]), strict=True)
    texts = [(path, content.decode(errors="replace")) for path, content in after if content]
    found = [(path, text, lines) for path, text in texts if (lines := lines_with_secrets(text, secrets))]
    if not found:
        return
    before = read([(parent, path) for parent in parents for path in paths])
    known = {line for content in before if content for line in content.decode(errors="replace").split("\n")}
    for path, text, lines in found:
        written = text.split("\n")
        yield from (sound_text(f"{path}:{line}") for line in lines if written[line - 1] not in known)
