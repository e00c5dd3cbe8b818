"""Roles as Markdown files: front matter with model, effort, tools and limits, and below it what an agent in that role is told.

Specthread brings one file for each role it names; a person's `roles/` folder and a repository's `.specthread/roles/` may replace them and add others.
What every agent is told, how it works and what it must not believe, stands in front of a role's words and is in no such file.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

import msgspec

from specthread.agents.toolspecs import ASK, COORDINATE, EDIT, LOCK, READ, SEARCH, SHELL, UNLOCK, WRITE

Effort = Literal["low", "medium", "high", "xhigh", "max"]
CHOOSABLE = (READ, SEARCH, EDIT, WRITE, SHELL, LOCK, UNLOCK, COORDINATE, ASK)
"""The tools that a role may be left without. What ends a run, and what writes the planner's documents, every run has that needs it."""

_FRONT = re.compile(r"---[ \t]*\n(.*?\n)?---[ \t]*(?:\n|\Z)(.*)", re.DOTALL)
_WHERE = re.compile(r" - at `\$\.?(?P<key>[^`\[]*).*`")


class RoleFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a role's file says; None leaves it to the settings. `tools` are those of `CHOOSABLE` it may use, None is all."""

    description: str = ""
    agent: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    model: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    effort: Effort | None = None
    tools: tuple[str, ...] | None = None
    max_turns: Annotated[int, msgspec.Meta(ge=1)] | None = None
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    prompt: str = ""


def read_role(text: str) -> RoleFile:
    """Returns what a role's file says. Raises ValueError, in a sentence for whoever wrote it."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    found = _FRONT.fullmatch(text)
    if found is None and text.startswith("---"):
        raise ValueError("Its front matter has no end. Put a line `---` below it.")
    front, prompt = (found[1] or "", found[2]) if found else ("", text)
    try:
        fields = msgspec.yaml.decode(front) or {}
    except msgspec.DecodeError as fault:
        raise ValueError(f"Its front matter is not valid YAML: {_first_line(fault)}.") from fault
    if not isinstance(fields, dict) or "prompt" in fields:
        raise ValueError("Its front matter must be lines such as `model: claude-opus-5-5`; the prompt is the text below it.")
    if isinstance(fields.get("tools"), str):  # as other tools write it: “tools: read, search”
        fields["tools"] = [each.strip() for each in fields["tools"].split(",") if each.strip()]
    try:
        role = msgspec.convert({**fields, "prompt": prompt.strip()}, RoleFile)
    except msgspec.ValidationError as fault:
        raise ValueError(_told(fault)) from fault
    known = [tool.name for tool in CHOOSABLE]
    if unknown := [name for name in role.tools or () if name not in known]:
        raise ValueError(f"There is no tool `{unknown[0]}`. The tools are {', '.join(known)}.")
    return role


def _told(fault: msgspec.ValidationError) -> str:
    what, key = _first_line(fault), _WHERE.search(str(fault))
    if unknown := re.search(r"unknown field `(.*)`", what):
        keys = ", ".join(name for name in RoleFile.__struct_fields__ if name != "prompt")
        return f"`{unknown[1]}` means nothing in front matter; it may have {keys}."
    return f"`{key['key'] if key else 'front matter'}` is not what it must be: {_WHERE.sub('', what)}."


def _first_line(fault: Exception) -> str:
    return str(fault).partition("\n")[0]


@cache
def own_roles() -> dict[str, RoleFile]:
    """Returns the roles that Specthread brings, by name."""
    folder = files("specthread.agents").joinpath("roles")
    names = sorted(
        each.name.removesuffix(".md") for each in folder.iterdir() if each.name.endswith(".md") and not each.name.startswith("_")
    )
    return {name: read_role(folder.joinpath(f"{name}.md").read_text(encoding="utf-8")) for name in names}
