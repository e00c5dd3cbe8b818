"""The place in which an agent runs that is a program of its own."""

from dataclasses import dataclass
from pathlib import Path

from specthread.agents.sandbox import SandboxProfile

HOME = "/home/agent"
"""Where the agent's private home folder is seen inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A sandbox with the worktree and a private home folder; `notes` is a file outside of it, in which its client keeps what it must know after a restart."""

    profile: SandboxProfile
    notes: Path
