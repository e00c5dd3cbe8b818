"""What completion works on, and what it offers."""

import re
from typing import Literal, NamedTuple

from specthread.spec.document import Span
from specthread.spec.symbols import Symbol
from specthread.views.assist.index import Cursor


class Completion(NamedTuple):
    """One thing that may be typed in place of what stands at `replaces`.

    `text` has places to fill in where `is_template`: `${1:words}` for words to type over, `$1` for none; signs of this form are escaped in it.
    `symbol` is what the text names.
    """

    label: str
    detail: str
    kind: Literal["reference", "label", "value", "state", "number", "template"]
    text: str
    replaces: Span
    is_template: bool = False
    symbol: Symbol | None = None


class Typing(NamedTuple):
    """A cursor with the text of its line, which may be the empty one behind the last line."""

    cursor: Cursor
    text: str

    @property
    def before(self) -> str:
        """What stands in front of the cursor."""
        return self.text[: self.cursor.character]

    @property
    def after(self) -> str:
        """What stands behind it."""
        return self.text[self.cursor.character :]

    def span(self, start: int, end: int | None = None) -> Span:
        """Characters of the line, to the cursor where no end is given."""
        return Span(self.cursor.line, start, min(self.cursor.character, len(self.text)) if end is None else end)


def escaped(text: str) -> str:
    """The text as part of a template, in which it means itself."""
    return re.sub(r"[\\$}]", r"\\\g<0>", text)


def filled(template: str) -> str:
    """The template for editors that know none: every place holds its words."""
    return _PLACE.sub(lambda found: _ESCAPE.sub(r"\1", found["words"] or found["escape"] or ""), template)


_ESCAPE = re.compile(r"\\([\\$}])")
_PLACE = re.compile(r"\$\{[0-9]+:(?P<words>(?:\\.|[^}\\])*)\}|\$[0-9]+|(?P<escape>\\[\\$}])")
