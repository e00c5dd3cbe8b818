"""Histories as drawings: what git holds of a SpecTask, without ids and times, to be compared with a reviewed file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from support.git_fixture import git

_FORMAT = "--format=%s [%an]%(trailers:only,unfold,separator=%x7C,key_value_separator=%x3D)%d"
_COALESCED = "Record sessions: "
"""Transcripts are committed by the clock, so their commits are left out of the drawing."""


def drawn(repository: Path, spectask: str, *, base: str = "main") -> str:
    """Draws the feature branch from `base` on, what each other branch and archive has beside it, the line of records, and the names of all refs of ours."""
    refs = git(repository, "for-each-ref", "--format=%(refname)", "refs/heads/spectask", "refs/tags/spectask", "refs/specthread").split(
        "\n"
    )
    heads = f"refs/heads/spectask/{spectask}"
    parts = []
    if f"{heads}/feature" in refs:
        parts.append(
            (
                "feature",
                _graph(repository, f"{heads}/feature", f"^{base}~1")
                if _has_parent(repository, base)
                else _graph(repository, f"{heads}/feature"),
            )
        )
    beside = [ref for ref in refs if ref.startswith((f"{heads}/ws-", "refs/specthread/"))]
    parts += [(ref, _graph(repository, ref, f"^{heads}/feature" if f"{heads}/feature" in refs else f"^{heads}/specs")) for ref in beside]
    if f"{heads}/specs" in refs:
        lines = git(repository, "log", "--first-parent", _FORMAT, f"{heads}/specs").split("\n")
        parts.append(("specs", "\n".join(line for line in lines if not line.startswith(_COALESCED))))
    parts.append(("refs", "\n".join(refs)))
    told = "\n".join(f"-- {name} --\n{text}" for name, text in parts if text)
    return _plain(told, spectask)


def expected(path: Path, found: Mapping[str, str]) -> Mapping[str, str]:
    """Reads the drawings of a story from its file, below the sentence that says why it is told; `SPECTHREAD_UPDATE=1` makes the found ones the expected."""
    head, *rest = re.split(r"^== (.+) ==\n", path.read_text("utf-8"), flags=re.MULTILINE)
    if os.environ.get("SPECTHREAD_UPDATE") == "1":
        path.write_text(head + "".join(f"== {name} ==\n{text}\n" for name, text in found.items()), "utf-8")
        return found
    assert head.rstrip().endswith("."), "a sentence says why the story is told"
    return {name: text.removesuffix("\n") for name, text in zip(rest[0::2], rest[1::2], strict=True)}


def _graph(repository: Path, *revisions: str) -> str:
    return git(repository, "log", "--graph", "--topo-order", _FORMAT, *revisions)


def _has_parent(repository: Path, base: str) -> bool:
    return len(git(repository, "rev-list", "--parents", "-1", base).split()) > 1


def _plain(text: str, spectask: str) -> str:
    text = text.replace(spectask, "ID")
    text = re.sub(r"Specthread-Event=[^|\s]+", "Specthread-Event", text)
    text = re.sub(r"\b(?=[0-9a-f]*[0-9])[0-9a-f]{12,40}\b", "OID", text)
    # The documents of one approval have no order.
    text = re.sub(r"Approve ([a-z/]+(?:, [a-z/]+)+)", lambda found: f"Approve {', '.join(sorted(found[1].split(', ')))}", text)
    return "\n".join(line.rstrip() for line in text.split("\n"))
