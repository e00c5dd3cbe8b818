"""GitHub's own description of its REST interface, by which requests to the fake one are judged; it is fetched by tests/git/install."""

import json
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

FILE = Path(__file__).parents[2] / "build/octokit/api.github.com.json"
REASON = "GitHub's description of its interface is not here: tests/git/install fetches it"


def is_here() -> bool:
    """Tells whether requests can be judged; where `SPECTHREAD_REQUIRE_OCTOKIT` is set, they must be."""
    if not FILE.exists() and os.environ.get("SPECTHREAD_REQUIRE_OCTOKIT"):
        raise AssertionError(REASON)
    return FILE.exists()


def faults(method: str, path: str, query: Mapping[str, str], body: Any) -> list[str]:
    """Says what is wrong with a request: an unknown path, method or parameter, or a body that does not fit. Empty where it is sound."""
    found = _operation(method.lower(), path)
    if found is None:
        return [f"GitHub knows no {method} {path}."]
    known = {each["name"]: each for each in map(_resolved, found.get("parameters", ())) if each["in"] == "query"}
    wrong = [f"{method} {path} takes no {name}." for name in query if name not in known]
    wrong += [f"{name} must be given." for name, each in known.items() if each.get("required") and name not in query]
    wrong += [problem for name, value in query.items() if name in known for problem in _misfit(known[name]["schema"], _typed(value), name)]
    return wrong + _body_faults(found.get("requestBody"), body)


def _body_faults(wanted: Any, body: Any) -> list[str]:
    if wanted is None:
        return [] if body is None else ["It takes no body."]
    if body is None:
        return ["A body must be given."] if wanted.get("required") else []
    schema = wanted["content"]["application/json"]["schema"]
    # The real one ignores what it does not know, which hides a misspelt name.
    return _misfit({**schema, "additionalProperties": False}, body, "body")


def _misfit(schema: Any, value: Any, name: str) -> list[str]:
    return [f"{name}: {error.message}" for error in jsonschema.Draft202012Validator(schema).iter_errors(value)]


def _typed(value: str) -> Any:
    return int(value) if value.isdecimal() else value


def _resolved(part: Any) -> Any:
    if "$ref" not in part:
        return part
    found: Any = _description()
    for word in part["$ref"].removeprefix("#/").split("/"):
        found = found[word]
    return found


def _operation(method: str, path: str) -> Any:
    for pattern, template in _templates():
        if pattern.fullmatch(path) and method in _description()["paths"][template]:
            return _description()["paths"][template][method]
    return None


@cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    # What is written out counts before what is left open, as in the real router.
    ordered = sorted(_description()["paths"], key=lambda each: each.count("{"))
    return [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", template)), template) for template in ordered]


@cache
def _description() -> Any:
    return json.loads(FILE.read_bytes())
