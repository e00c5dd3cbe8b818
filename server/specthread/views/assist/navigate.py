"""From one place of a symbol to the others: where it is defined, where it is spoken of, and in the same document."""

from specthread.spec.symbols import Occurrence
from specthread.views.assist.index import Cursor, meant


def definitions(cursor: Cursor) -> tuple[Occurrence, ...]:
    """Where that what the cursor is on is defined; several places for a range, and for a number that is given twice."""
    return tuple(each for each in references(cursor) if each.is_definition)


def references(cursor: Cursor) -> tuple[Occurrence, ...]:
    """Every place of what the cursor is on, definitions among them."""
    symbols = dict.fromkeys(each.symbol for each in meant(cursor))
    return tuple(place for symbol in symbols for place in cursor.index.by_symbol[symbol])


def highlights(cursor: Cursor) -> tuple[Occurrence, ...]:
    """The same in the document of the cursor, each place once."""
    here = {each.span: each for each in references(cursor) if each.document == cursor.name}
    return tuple(here.values())
