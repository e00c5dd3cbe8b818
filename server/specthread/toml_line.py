"""On which line a TOML file says something; TOML's own reader does not keep positions."""

from __future__ import annotations

import re


def line_of(text: str, name: str) -> int | None:
    """Returns the line that seems to set a key, or the table around it."""
    table = ""
    around: int | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(line):
            table = _bare(header[1]) + "."
            if table == f"{name}.":
                return number
        elif "=" in line and not line.lstrip().startswith("#"):
            key = table + _bare(line.partition("=")[0])
            if key == name:
                return number
            around = number if name.startswith(f"{key}.") else around
    return around


_TABLE = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")


def _bare(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))
