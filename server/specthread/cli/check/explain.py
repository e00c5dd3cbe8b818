"""`specthread check --explain`: what a code means, or which codes there are."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from specthread.cli.check.codes import all_rules, codes_named, page_of


def explanation(name: str) -> str:
    """Returns the page about a code, or the list of a group's codes, or of all codes for no name. Raises Failure for another."""
    named = codes_named(name)
    if len(named) == 1:
        return page_of(named[0])
    width = max(map(len, named))
    blocks = []
    for group, codes in groupby(named, key=lambda code: code.partition("/")[0]):
        rows = [f"  {code:<{width}}  {all_rules()[code].severity:<7}  {all_rules()[code].doc}\n" for code in codes]
        blocks.append(f"{group}\n{''.join(rows)}")
    return "\n".join(blocks)


def explanation_value(name: str) -> dict[str, Any]:
    """Returns the same as plain values; the page only where one code is named."""
    named = codes_named(name)
    page = {"page": page_of(named[0])} if len(named) == 1 else {}
    rules = all_rules()
    return {"codes": [{"code": code, "severity": rules[code].severity, "summary": rules[code].doc, **page} for code in named]}
