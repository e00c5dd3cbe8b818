"""The sandbox profile `agent`: where an agent runs that is a program of its own.

It sees what a session's commands see: the worktree at the path of the checkout, so that no path needs to be translated, dependency folders read-only, a git of its own. It has a
home folder of its own below the state folder, which lasts as long as the session, and nothing of the person's: the files that were copied in from the checkout are empty.
Unlike commands it shares the network, since its model is there; so what listens on this machine can be reached from inside, and nothing that changes anything may listen there
unasked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from specthread.agents.acp_catalog import PREFIX
from specthread.agents.backend import AgentBackend
from specthread.agents.place import HOME, Place
from specthread.agents.sandbox import Mount
from specthread.domain.names import spectask_of
from specthread.domain.run import Run
from specthread.engine.environment import Environment
from specthread.engine.repositories import OpenRepository


def make_place(opened: OpenRepository, environment: Environment, run: Run, emptied: Sequence[Mount] = ()) -> Place | None:
    """Returns the place of a run's agent, with its home folder made and what is `emptied` shown so; None where there is no sandbox. Raises OSError."""
    if environment.profile is None:
        return None
    folder = _folder_of(opened, run)
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    profile = replace(
        environment.profile,
        mounts=(*environment.profile.mounts, *emptied, Mount(source=home, target=HOME, writable=True)),
        environment={**environment.profile.environment, "HOME": HOME},
        network=True,
    )
    return Place(profile=profile, notes=folder / "notes.json")


def agent_named(backends: Mapping[str, AgentBackend], name: str) -> str:
    """Returns the full name of an agent, of an external one also where only its own name is said; a name that nobody has stays as it is."""
    return f"{PREFIX}{name}" if name not in backends and f"{PREFIX}{name}" in backends else name


def _folder_of(opened: OpenRepository, run: Run) -> Path:
    """Returns the folder of one attempt: another one is another conversation, which must not find what the last one left behind."""
    return opened.scratch(spectask_of(run.id), f"agent-{run.id.rpartition('/')[2]}-{run.attempt}")
