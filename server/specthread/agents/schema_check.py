"""Whether a value has the form that a tool's schema asks for: every place that has not, in words for the model."""

from collections.abc import Iterator, Sequence
from typing import Any

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def mismatches(schema: dict[str, Any], value: object, place: str) -> Iterator[tuple[str, str]]:
    """Yields each place that is wrong, such as `tasks[2].files` counted from 0, with how it must be."""
    kind: str = schema["type"]
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        nested = isinstance(value, str) and kind in {"array", "object"}
        yield place, f"of type {kind}{', and not JSON inside a string' if nested else ''}"
    elif value not in schema.get("enum", (value,)):
        yield place, f"one of {listed(schema['enum'])}"
    elif isinstance(value, int | float) and value < schema.get("minimum", value):
        yield place, f"at least {schema['minimum']}"
    elif isinstance(value, list):
        yield from _of_list(schema["items"], value, place)
    elif isinstance(value, dict):
        yield from _of_object(schema, value, place)


def listed(names: Sequence[str]) -> str:
    """Returns names in a row, each in back ticks."""
    return ", ".join(f"`{name}`" for name in names)


def _of_list(schema: dict[str, Any], entries: list[object], place: str) -> Iterator[tuple[str, str]]:
    if schema["type"] == "object":
        for index, entry in enumerate(entries):
            yield from mismatches(schema, entry, f"{place}[{index}]")
    elif any(True for entry in entries for _ in mismatches(schema, entry, place)):
        yield place, f"a list whose entries are of type {schema['type']}"


def _of_object(schema: dict[str, Any], value: dict[str, object], place: str) -> Iterator[tuple[str, str]]:
    properties: dict[str, Any] = schema["properties"]
    if missing := [name for name in schema["required"] if name not in value]:
        yield place, f"an object with {listed(missing)}"
    if unknown := [name for name in value if name not in properties]:
        yield place, f"an object without {listed(unknown)}: it takes {listed(list(properties))}"
    for name, item in value.items():
        if name in properties:
            yield from mismatches(properties[name], item, f"{place}.{name}")
