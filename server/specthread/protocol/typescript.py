"""The wire for TypeScript: `python -m specthread.protocol.typescript` writes what `editors/protocol.ts` holds."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from textwrap import wrap
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from specthread.protocol import wire
from specthread.protocol.wire_base import Wire
from specthread.protocol.wire_view import RefusalView

_WIDTH = 120
_HEAD = """// Every message between an editor and the daemon.
// Written by `make protocol` from server/specthread/protocol/wire.py; changes made here are lost.
"""
_PLAIN: dict[Any, str] = {
    str: "string",
    datetime: "string",
    Decimal: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    Any: "unknown",
    NoneType: "null",
}


def protocol_ts() -> str:
    """Returns the file: an interface per message, and the tables of requests and notifications.

    Of params, what has a default may be left out; results are always whole. Times and amounts of money are texts.
    """
    params = list(_with_parts(asked for asked, _ in wire.METHODS.values()))
    told = list(_with_parts([*(answer for _, answer in wire.METHODS.values()), *wire.NOTIFICATIONS.values(), RefusalView]))
    parts = [_interface(model, may_leave_out=model in params) for model in dict.fromkeys([*params, *told])]
    requests = [f'  "{name}": {{ params: {asked.__name__}; result: {answer.__name__} }};' for name, (asked, answer) in wire.METHODS.items()]
    notes = [f'  "{name}": {model.__name__};' for name, model in wire.NOTIFICATIONS.items()]
    tables = [
        "/** Requests by name: their params and their result. */\nexport interface Requests {\n" + "\n".join(requests) + "\n}\n",
        "/** What the daemon says unasked. */\nexport interface Notifications {\n" + "\n".join(notes) + "\n}\n",
    ]
    return "\n".join([_HEAD, *parts, *tables])


def _with_parts(models: Iterable[type[Wire]]) -> Iterator[type[Wire]]:
    """Yields the models and those they are made of, each once, parts first."""
    seen: set[type[Wire]] = set()

    def walk(model: type[Wire]) -> Iterator[type[Wire]]:
        if model in seen:
            return
        seen.add(model)
        for field in model.model_fields.values():
            for part in _models_in(field.annotation):
                yield from walk(part)
        yield model

    for model in models:
        yield from walk(model)


def _models_in(annotation: Any) -> Iterator[type[Wire]]:  # noqa: ANN401  any annotation
    if isinstance(annotation, type) and issubclass(annotation, Wire):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _interface(model: type[Wire], *, may_leave_out: bool) -> str:
    fields = [_field(name, field, may_leave_out=may_leave_out) for name, field in model.model_fields.items()]
    return f"{_comment(model.__doc__ or '')}\nexport interface {model.__name__} {{\n{''.join(fields)}}}\n"


def _comment(text: str) -> str:
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n")]
    lines = [line for paragraph in paragraphs for line in wrap(paragraph, _WIDTH - 3)]
    return f"/** {lines[0]} */" if len(lines) == 1 else "/**\n" + "\n".join(f" * {line}" for line in lines) + "\n */"


def _field(name: str, field: FieldInfo, *, may_leave_out: bool) -> str:
    mark = "?" if may_leave_out and not field.is_required() else ""
    return f"  {name}{mark}: {_type(field.annotation)};\n"


def _type(annotation: Any) -> str:  # noqa: ANN401  any annotation
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Wire):
        return annotation.__name__
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(inner[0])
    if origin is Literal:
        return " | ".join(f'"{value}"' for value in inner)
    if origin in {Union, UnionType}:
        return " | ".join(map(_type, inner))
    if origin is list:
        of = _type(inner[0])
        return f"({of})[]" if "|" in of else f"{of}[]"
    if origin is dict:
        return f"Record<{_type(inner[0])}, {_type(inner[1])}>"
    raise TypeError(f"The wire has no form for {annotation}.")


if __name__ == "__main__":
    sys.stdout.write(protocol_ts())
