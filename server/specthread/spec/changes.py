"""What an edit of a spec is: the changes to each document, or why there are none.

Every edit in this package is a function from a `Spec` to `Changes | Cannot`. No changes at all stand for “it is so already”.
"""

from collections.abc import Mapping
from typing import NamedTuple

from specthread.spec.document import Change, DocumentName, Span
from specthread.spec.spec import Spec, read_spec

Changes = Mapping[DocumentName, tuple[Change, ...]]
"""Per document what is replaced; places refer to the documents as they are, and never overlap."""


class Cannot(NamedTuple):
    """Why an edit cannot be made, in sentences for a person: what is in the way, and what to do instead."""

    reason: str


def contents_with(spec: Spec, changes: Changes) -> Mapping[DocumentName, bytes]:
    """The documents with all changes made."""
    return {name: source.changed(changes.get(name, ())) for name, source in spec.sources.items()}


def spec_with(spec: Spec, changes: Changes) -> Spec:
    """The spec read again with all changes made."""
    return read_spec(contents_with(spec, changes), spec.dialect, spec, spec.around)


def exchanged(span: Span, text: str) -> Change:
    """The change that puts a text in the place of a part of a line."""
    return Change((span.line, span.start), (span.line, span.end), text)


def put_in(line: int, character: int, text: str) -> Change:
    """The change that adds a text at a place."""
    return Change((line, character), (line, character), text)
