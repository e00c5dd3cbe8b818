"""What is told about a thing where a person points at it, as words; and these words as markdown in which none of them is a sign."""

import re
from typing import NamedTuple

from specthread.spec.document import squeezed


class Card(NamedTuple):
    """A title, paragraphs, and lists under headings; all of it plain words."""

    title: str
    paragraphs: tuple[str, ...] = ()
    lists: tuple[tuple[str, tuple[str, ...]], ...] = ()


MOST = 12
"""Entries shown of one list."""


def markdown(card: Card) -> str:
    """The card as markdown."""
    lists = (f"{escaped(heading)}\n\n" + "\n".join(f"- {escaped(entry)}" for entry in entries) for heading, entries in _shown(card))
    return "\n\n".join((f"**{escaped(card.title)}**", *map(escaped, card.paragraphs), *lists))


def plain(card: Card) -> str:
    """The card for clients that know no markdown."""
    lists = (f"{heading}\n" + "\n".join(f"- {squeezed(entry)}" for entry in entries) for heading, entries in _shown(card))
    return "\n\n".join((squeezed(card.title), *map(squeezed, card.paragraphs), *lists))


def escaped(text: str) -> str:
    """The text in one line as markdown that shows exactly its words: no emphasis, links, pictures, code or HTML, and no list."""
    text = _SIGNS.sub(r"\\\g<0>", squeezed(text))
    return _AT_START.sub(r"\g<1>\\\g<2>", text)


def _shown(card: Card) -> list[tuple[str, tuple[str, ...]]]:
    shown = []
    for heading, entries in card.lists:
        more = (f"… and {len(entries) - MOST} more",) if len(entries) > MOST else ()
        if entries:
            shown.append((heading, (*entries[:MOST], *more)))
    return shown


# An underscore within a word is no sign; `://`, `www.` and `@` would become links by themselves.
_SIGNS = re.compile(r"[\\`*\[\]<>&|~$]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=www)\.|@|!(?=\[)", re.IGNORECASE)
_AT_START = re.compile(r"^([0-9]*)([#+=.):-])(?=[#+=-]|[ \t]|$)")
