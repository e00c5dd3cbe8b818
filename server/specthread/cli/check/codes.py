"""Every code that `check` can draw or an editor can show, with its page, as they come with the program."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from specthread.cli.outcome import USAGE, Failure
from specthread.spec.levels import name_of
from specthread.spec.rules import RULES, Rule


@cache
def all_rules() -> Mapping[str, Rule]:
    """Returns every code with its level and its sentence, sorted."""
    return {code: RULES[code] for code in sorted(RULES)}


def page_of(code: str) -> str:
    """Returns the page about a code, as Markdown."""
    return files("specthread").joinpath("rules", f"{code}.md").read_text("utf-8")


def sentence_of(page: str) -> str:
    """Returns what a page says a code stands for: its first paragraph."""
    return page.split("\n\n")[1].strip()


def reason_of(page: str) -> str:
    """Returns the part of a page that says why."""
    found = re.search(r"^## Why\n+(.*?)(?=\n+## |\Z)", page, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def codes_named(name: str) -> list[str]:
    """Returns the code, or the codes of a group, that a person means; all for no name. Raises Failure where there is none."""
    wanted = name_of(name)
    found = [code for code in all_rules() if not wanted or wanted in {code, code.partition("/")[0]}]
    if not found:
        from difflib import get_close_matches  # noqa: PLC0415  only a mistake needs it

        near = get_close_matches(wanted, all_rules(), n=1)
        hint = f"Did you mean `{near[0]}`? " if near else ""
        raise Failure("unknown-code", f"There is no code `{name}`.", f"{hint}`specthread check --explain` lists them all.", status=USAGE)
    return found
