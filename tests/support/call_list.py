"""The list of specgit's public calls, complete because it is read from the package, and the scenarios that are entered for them.

A call without a scenario fails the tests. The scenarios are in `git_calls.py` and the files it names, and how to write one is said there. The methods of a
protocol are no calls: those of the classes that keep it are.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from types import CodeType, FunctionType

import specgit
from support.git_scene import Scene

Scenario = Callable[[Scene], object]
CALLS: dict[str, Scenario] = {}


def public_calls() -> dict[str, CodeType]:
    """Maps each public function, method and property of the package, as `module.function` or `module.Class.method`, to its code."""
    found: dict[str, CodeType] = {}
    for listed in pkgutil.iter_modules(specgit.__path__):
        module = importlib.import_module(f"specgit.{listed.name}")
        for name, thing in vars(module).items():
            if getattr(thing, "__module__", "") != module.__name__ or getattr(thing, "_is_protocol", False):
                continue
            members = {f"{name}.{key}": value for key, value in vars(thing).items()} if inspect.isclass(thing) else {name: thing}
            public = {
                key: _function_of(member) for key, member in members.items() if not any(word.startswith("_") for word in key.split("."))
            }
            found |= {f"{listed.name}.{key}": function.__code__ for key, function in public.items() if function is not None}
    return found


def missing_calls() -> str:
    """Says which calls have no scenario, or which scenarios have no call, and what to do; empty when all is well."""
    public, here = public_calls().keys(), "git_calls.py"
    lines = [
        f'{name} has no scenario: write one in {here}, or add to one that makes this call too: @plays("{name}")'
        for name in public - CALLS.keys()
    ]
    lines += [f"{name} is played but is no public call any more: take it out of {here}" for name in CALLS.keys() - public]
    return "\n".join(sorted(lines))


def scenarios() -> dict[Scenario, list[str]]:
    """Maps each scenario to the calls it plays."""
    found: dict[Scenario, list[str]] = {}
    for name, scenario in CALLS.items():
        found.setdefault(scenario, []).append(name)
    return found


def plays(*names: str) -> Callable[[Scenario], Scenario]:
    """Enters a scenario for these calls."""

    def enter(scenario: Scenario) -> Scenario:
        CALLS.update(dict.fromkeys(names, scenario))
        return scenario

    return enter


def _function_of(member: object) -> FunctionType | None:
    plain = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
    function = inspect.unwrap(plain) if callable(plain) else None
    return function if isinstance(function, FunctionType) and not isinstance(member, type) else None
