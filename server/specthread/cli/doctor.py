"""The verb doctor: looks for everything that would stop the work, and says how to put it right."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.text import Text

from specgit.disk import disk_use, in_megabytes
from specgit.errors import GitError
from specgit.repository import Repository
from specgit.traits import traits_of
from specthread import __version__, config, shim
from specthread.agents.messages_api import CLOUDS, credentials_present, missing_extra
from specthread.agents.sandbox import probe
from specthread.cli.client import Client, RequestError
from specthread.cli.doctor_models import model_findings
from specthread.cli.outcome import PROBLEM, clean, print_json
from specthread.cli.pages import table
from specthread.cli.screen import Json, console
from specthread.daemon_agents import external_agents, full_name
from specthread.engine.repositories import folder_name, known_settings_file
from specthread.engine.trust import cautions
from specthread.local_models import PORTS, local_servers
from specthread.protocol import wire_params, wire_result

_PORTS = ", ".join(map(str, PORTS))
_SIGNS = {"ok": ("✔", "green"), "warning": ("!", "yellow"), "problem": ("✖", "red")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: Literal["ok", "warning", "problem"]
    text: str


def doctor(
    *,
    local: Annotated[bool, typer.Option("--local", help=f"Ask ports {_PORTS} of this machine for a model server, too.")] = False,
    models: Annotated[bool, typer.Option("--models", help="Ask the Messages API whether your models exist, too.")] = False,
    as_json: Json = False,
) -> None:
    """Look for what would stop the work. Exits with 1 where something does."""
    findings = list(examine(Path.cwd(), os.environ, ask=models))
    if local:
        findings += _local_models()
    if as_json:
        print_json({"findings": [{"name": each.name, "state": each.state, "text": each.text} for each in findings]})
    else:
        made = table("", "", "")
        made.show_header = False
        for each in findings:
            sign, style = _SIGNS[each.state]
            made.add_row(Text(sign, style=style), each.name, Text(clean(each.text)))
        console().print(made)
    if any(each.state == "problem" for each in findings):
        raise typer.Exit(PROBLEM)


def examine(folder: Path, environ: Mapping[str, str], *, ask: bool = False) -> Iterator[Finding]:
    """Yields what was found, the most fundamental first; with `ask`, the Messages API is asked for its models."""
    yield Finding(name="specthread", state="ok", text=f"version {__version__}, Python {sys.version.split()[0]}")
    yield _daemon(folder, environ)
    yield _repository(folder)
    yield from _worktrees(folder, environ)
    yield from _git_settings(folder, environ)
    sandbox = probe()
    yield Finding(name="sandbox", state="ok" if sandbox.available else "problem", text=sandbox.reason or "bubblewrap works")
    loaded = config.load(_checkout(folder), environ)
    yield _agent(loaded.settings, environ)
    for state, text in model_findings(loaded.settings, environ, ask=ask):
        yield Finding(name="models", state=state, text=text)
    yield from _external(loaded.settings, environ)
    for problem in loaded.problems:
        yield Finding(name="settings", state="problem", text=str(problem))
    if loaded.powers and not loaded.powers.allowed:
        text = f"{loaded.powers.file} wants to run or permit something: `specthread allow` shows it. Until then it has no effect."
        yield Finding(name="settings", state="warning", text=text)


def _daemon(folder: Path, environ: Mapping[str, str]) -> Finding:
    """Asks the daemon itself where it runs: it has the settings and keys of the moment it was started."""
    state = shim.state_folder(environ)
    client = Client(environ, cwd=folder, start=False)
    try:
        if not client.attach():
            return Finding(name="daemon", state="ok", text=f"does not run yet; its state will be in {state}")
        status = client.ask("status", wire_params.NoParams(), wire_result.StatusResult)
    except shim.AttachError as error:
        return Finding(name="daemon", state="problem", text=f"{error.message} {error.hint}")
    except RequestError as error:
        return Finding(name="daemon", state="problem", text=f"{error.refusal.message} {error.refusal.hint}")
    if status.hindrance:
        return Finding(name="daemon", state="problem", text=f"runs, but lets no agent work: {status.hindrance}")
    troubled = [f"{provider.name}: {provider.trouble}" for provider in status.providers if provider.trouble]
    if troubled:
        return Finding(name="daemon", state="warning", text=f"runs, but model calls wait. {'. '.join(troubled)}. They go on by themselves.")
    return Finding(name="daemon", state="ok", text=f"runs; its state is in {state}")


def _repository(folder: Path) -> Finding:
    try:
        repository = Repository.open(folder)
        head, notes = repository.head(), traits_of(repository).notes
    except GitError as error:
        return Finding(name="repository", state="problem", text=str(error))
    branch = head.branch or "a detached HEAD"
    left_out = len(head.dirty) + len(head.untracked)
    dirty = f"; {left_out} changed or untracked files would be left out" if left_out else ""
    return Finding(
        name="repository",
        state="warning" if dirty or not head.branch else "ok",
        text=". ".join((f"at {head.oid[:7]} on {branch}{dirty}", *notes)),
    )


def _git_settings(folder: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Tells of settings and hooks that are new since the person last knew them."""
    try:
        repository = Repository.open(folder)
        found = cautions(known_settings_file(Path(shim.state_folder(environ)), repository), repository)
    except (GitError, OSError):  # what is wrong with the repository is told already
        return
    for text in found:
        yield Finding(name="git settings", state="warning", text=text)


def _worktrees(folder: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Tells what the worktrees of sessions take; nothing where there are none."""
    try:
        repository = Repository.open(folder)
        places = Path(shim.state_folder(environ), "worktrees", folder_name(repository))
        used = disk_use(repository, sorted(places.glob("*")))
    except (GitError, OSError):  # what is wrong with the repository is told already
        return
    if not used.worktrees and not used.trash:
        return
    number = len(used.worktrees)
    largest = f", the largest is {used.worktrees[0][0]} with {in_megabytes(used.worktrees[0][1])}" if number > 1 else ""
    trash = f"; {in_megabytes(used.trash)} wait to be deleted" if used.trash else ""
    text = f"{number} worktree{' of a session takes' if number == 1 else 's of sessions take'} {in_megabytes(used.total)}{largest}{trash}"
    yield Finding(name="worktrees", state="ok", text=text)


def _local_models() -> Iterator[Finding]:
    found = list(local_servers())
    for each in found:
        more = f" and {len(each.models) - 1} more" if len(each.models) > 1 else ""
        yield Finding(name="local model", state="ok", text=f"{each.kind} has {each.models[0]}{more}. To use it: {each}")
    if not found:
        yield Finding(name="local model", state="warning", text=f"No model server answers at the ports {_PORTS} of this machine.")


def _checkout(folder: Path) -> Path | None:
    try:
        return Repository.open(folder).checkout
    except GitError:
        return None


def _external(settings: config.Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Tells which external agents are there, and how to get those that are known."""
    agents = external_agents(settings.agents)
    chosen = full_name(settings.agent, agents)
    ready = [each for each in agents.values() if not each.lacks(environ)]
    if ready:
        names = ", ".join(f"{each.title} (--agent {each.name})" for each in ready)
        text = (
            f"{names}. Each runs in a sandbox without your files, but with the network: as the setup step does, "
            "it also reaches what listens on this machine, abstract Unix sockets (of a desktop, say) among it."
        )
        yield Finding(name="external agents", state="ok", text=text)
    for each in agents.values():
        lack = each.lacks(environ)
        if lack and (each.is_there or each.name in settings.agents or each.backend == chosen):
            yield Finding(name="external agents", state="problem" if each.backend == chosen else "warning", text=lack)
    others = [f"{each.title}: `{each.get}`" for each in agents.values() if each.get and not each.is_there]
    if others:
        yield Finding(name="external agents", state="ok", text=f"could be added. {'; '.join(others)}")


def _agent(settings: config.Settings, environ: Mapping[str, str]) -> Finding:
    if full_name(settings.agent, external_agents(settings.agents)) in external_agents(settings.agents):
        return Finding(name="agent", state="ok", text=f"{settings.agent}, as your settings say")
    if cloud := settings.messages.provider:
        missing = missing_extra(cloud)
        return Finding(
            name="agent", state="problem" if missing else "ok", text=missing or f"{CLOUDS[cloud].title}, with its own credentials"
        )
    if config.credentials(environ).present:
        return Finding(name="agent", state="ok", text="a key for the Messages API is set")
    if settings.messages.base_url:
        return Finding(name="agent", state="ok", text=f"the Messages API at {settings.messages.base_url}, without a key")
    if credentials_present():
        return Finding(name="agent", state="ok", text="a profile for the Messages API is there")
    return Finding(name="agent", state="problem", text=f"There is no key and no other agent. {config.WAYS_OUT}")
