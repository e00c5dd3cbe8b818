"""Whether a value has the form that a tool's schema asks for: every place that has not, in words for the model."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,), "object": (dict,), "null": (type(None),),
}  # fmt: skip


def mismatches(schema: Mapping[str, Any], value: object, place: str) -> Iterator[tuple[str, str]]:
    """Yields each place that is wrong, such as `tasks[2].files` counted from 0, with how it must be.

    Known are type, enum, properties, required, additionalProperties, items, minItems, minimum and anyOf; whoever needs more writes a check of their own.
    """
    if choices := schema.get("anyOf"):
        found = [list(mismatches(choice, value, place)) for choice in choices]
        yield from () if [] in found else found[0]
        return
    kind = schema.get("type", ())
    kinds = (kind,) if isinstance(kind, str) else tuple(kind)
    if kinds and not any(_is(each, value) for each in kinds):
        nested = isinstance(value, str) and not {"array", "object"}.isdisjoint(kinds)
        yield place, f"of type {' or '.join(kinds)}{', and not JSON inside a string' if nested else ''}"
    elif value not in schema.get("enum", (value,)):
        yield place, f"one of {listed([str(each) for each in schema['enum']])}"
    elif isinstance(value, int | float) and value < schema.get("minimum", value):
        yield place, f"at least {schema['minimum']}"
    elif isinstance(value, list):
        yield from _of_list(schema, value, place)
    elif isinstance(value, dict):
        yield from _of_object(schema, value, place)


def _is(kind: str, value: object) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES.get(kind, (object,)))


def listed(names: Sequence[str]) -> str:
    """Returns names in a row, each in back ticks."""
    return ", ".join(f"`{name}`" for name in names)


def _of_list(schema: Mapping[str, Any], entries: Sequence[object], place: str) -> Iterator[tuple[str, str]]:
    if len(entries) < schema.get("minItems", 0):
        yield place, f"a list of at least {schema['minItems']} entries"
    items: Mapping[str, Any] = schema.get("items", {})
    wrong = [found for index, entry in enumerate(entries) for found in mismatches(items, entry, f"{place}[{index}]")]
    if wrong and items.get("type") in {"string", "integer", "number", "boolean"} and "enum" not in items:
        # A list of plain values is mostly wrong as a whole.
        wrong = [(place, f"a list whose entries are of type {items['type']}")]
    yield from wrong


def _of_object(schema: Mapping[str, Any], value: Mapping[str, object], place: str) -> Iterator[tuple[str, str]]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    if missing := [name for name in schema.get("required", ()) if name not in value]:
        yield place, f"an object with {listed(missing)}"
    if schema.get("additionalProperties") is False and (unknown := [name for name in value if name not in properties]):
        yield place, f"an object without {listed(unknown)}: it takes {listed(list(properties))}"
    for name, item in value.items():
        if name in properties:
            yield from mismatches(properties[name], item, f"{place}.{name}")
