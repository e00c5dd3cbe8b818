"""A chain that broke a promise: made as small as it still breaks it, kept as a file, and played again from there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from fuzz.mutation import Chain
from specthread.spec.document import DocumentName

Breaks = Callable[[Chain], str | None]


def save(path: Path, chain: Chain, why: str) -> None:
    """Writes a chain and what is wrong with it; bytes are written as the characters of the same numbers."""
    versions = [{name: content.decode("latin-1") for name, content in texts.items()} for texts in chain.versions]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"why": why, "dialect": chain.dialect, "versions": versions}, indent=1) + "\n")


def load(path: Path) -> Chain:
    """Returns a chain that was kept."""
    kept = json.loads(path.read_text())
    versions = [{DocumentName(name): text.encode("latin-1") for name, text in texts.items()} for texts in kept["versions"]]
    return Chain(kept["dialect"], versions)


def shrunk(chain: Chain, breaks: Breaks) -> Chain:
    """Returns a chain that is broken too and holds no version, document or line without which it still is."""
    smaller: Chain | None = chain
    while smaller is not None:
        chain = smaller
        smaller = next((each for each in _smaller(chain) if breaks(each)), None)
    return chain


def _smaller(chain: Chain) -> Iterator[Chain]:
    count = len(chain.versions)
    for size in (count // 2, count // 4, 1):
        for start in range(0, count, size or 1) if size else ():
            if count > 1:
                yield replace(chain, versions=[*chain.versions[:start], *chain.versions[start + size :]])
    for name in chain.versions[0] if chain.versions and len(chain.versions[0]) > 1 else ():
        yield replace(chain, versions=[{each: text for each, text in texts.items() if each != name} for texts in chain.versions])
    for line in sorted({line for texts in chain.versions for text in texts.values() for line in text.splitlines(keepends=True)}):
        yield replace(chain, versions=[{name: _without(text, line) for name, text in texts.items()} for texts in chain.versions])


def _without(text: bytes, line: bytes) -> bytes:
    return b"".join(each for each in text.splitlines(keepends=True) if each != line)
