"""The frozen settings that the engine is given by the daemon; nothing here is read from a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

from specthread.agents.permissions import Permissions
from specthread.agents.retry import EFFECT, RetryPolicy
from specthread.agents.role_file import CHOOSABLE, RoleFile
from specthread.agents.sandbox import CommandLimits
from specthread.domain.model import Limits
from specthread.engine.detected_checks import Kind
from specthread.plan.capacity import Capacity
from specthread.views.trace import TraceRules


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSettings:
    """Model and limits of a role; `effort` None leaves it to the model."""

    model: str
    effort: str | None = None
    max_tokens: int = 16_000
    max_turns: int = 60
    tools: tuple[str, ...] | None = None
    """Which of the tools that can be left out it may use; None is all."""
    prompt: str | None = None
    """What it is told beside what all are told; None is what Specthread brings for a role of that name."""
    agent: str | None = None
    """The agent it works with, by name; None is the SpecTask's."""

    def may_use(self, tool: str) -> bool:
        """Tells whether an agent in this role is given a tool."""
        return self.tools is None or tool in self.tools or all(tool != each.name for each in CHOOSABLE)

    def with_file(self, said: RoleFile) -> RoleSettings:
        """Returns these settings as a role's file changes them; one without a word below its front matter keeps the words there are."""
        told = {name: value for name in _FROM_FILE if (value := getattr(said, name)) is not None}
        return replace(self, prompt=said.prompt or None, **told)


_FROM_FILE = ("model", "effort", "max_tokens", "max_turns", "tools", "agent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long a session's agent may act in one attempt, in seconds: `every` session, or those of a role; None or not named: as long as it takes."""

    every: float | None = None
    roles: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectCheckSettings:
    """What is said of the project's checks: commands by kind, where an empty one leaves that kind out, a formatter (None: the detected one), and whether to detect."""

    commands: Mapping[Kind, str] = field(default_factory=dict)
    formatter: str | None = None
    detect: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSettings:
    """Whether a reviewer judges work that passed its checks: as a `gate` what is not met goes back, as `advice` it is told; and what one review may cost."""

    mode: Literal["gate", "advice", "off"] = "off"
    budget_usd: Decimal | None = None
    """None: a part of what the SpecTask may spend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositorySettings:
    """What a repository's specthread.toml adds; every key that runs or permits something was approved by a human, or is left out."""

    share: tuple[str, ...] | None = None
    """The ignored folders of the checkout to show; None means: those that usually hold dependencies."""
    setup: str = ""
    cleanup: str = ""
    setup_timeout: float = 900.0
    """What is done with network before an agent works, and after it has ended; and the seconds that each may take."""
    sparse: tuple[str, ...] = ()
    """The folders that a session's worktree holds beside the files at the top; none: everything."""
    include: tuple[str, ...] = ()
    """Patterns of ignored files of the checkout that sessions and checks get copies of."""
    project_check: str = ""
    check_timeout: float = 600.0
    """Seconds."""
    checks: ProjectCheckSettings = field(default_factory=ProjectCheckSettings)
    timeouts: Timeouts = field(default_factory=Timeouts)
    trace: TraceRules = field(default_factory=TraceRules)
    roles: Mapping[str, RoleFile] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the engine was told; times in seconds."""

    state: Path
    roles: dict[str, RoleSettings]
    limits: Limits = field(default_factory=Limits)
    day_usd: Decimal | None = None
    """What the calls of one day may cost over all SpecTasks; None: whatever they do."""
    capacity: Capacity = field(default_factory=Capacity)
    review: ReviewSettings = field(default_factory=ReviewSettings)
    default_agent: str = "messages"
    demo: bool = False
    lacks_sandbox: Callable[[], str] = lambda: ""
    """Why there is no sandbox, or nothing: a command then runs labelled UNSANDBOXED, in the demo on its own toy repository, elsewhere when a person permits it."""
    permissions: Permissions = field(default_factory=Permissions)
    command_limits: CommandLimits = field(default_factory=CommandLimits)
    quota_mb: int = 20_480
    """MiB that a session's files may take on the disk."""
    first_port: int = 42_000
    """From where on sessions get ports."""
    transcript_interval: float = 2.0
    retry: RetryPolicy = EFFECT
    """How background work is tried again under which git, disk or log failed."""
    context_depth: int = 5
    context_characters: int = 500
    """How many earlier results a session is told beside those it builds on, and how long each may be; with one of them 0 it is told nothing of others."""

    @property
    def shares_context(self) -> bool:
        """Whether sessions are told of what others did, decided and know."""
        return self.context_depth > 0 and self.context_characters > 0

    def role(self, role: str, repository: RepositorySettings) -> RoleSettings:
        """Returns the settings of a role in a repository; an unknown one works as implementer, and the demo plays what it always plays."""
        settings = self.roles.get(role) or self.roles["implementer"]
        said = None if self.demo else repository.roles.get(role)
        return settings.with_file(said) if said else settings
