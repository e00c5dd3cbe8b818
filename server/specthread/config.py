"""The settings of a person and of a repository, read once and passed in as frozen values.

Two files count: `config.toml` of the user and `specthread.toml` of the repository. A cloned repository is somebody else's text: it may say
only how its code is checked and what it needs, agents, models and limits are a person's own. Every key of it that runs or permits something
(a *power*) is kept apart under a fingerprint and counts only when the human allowed exactly that fingerprint for that folder. Secrets are
never read from a file.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from specthread import provider_settings, role_settings, sandbox_settings, worktree_settings
from specthread.agent_settings import AgentSettings, agents_from
from specthread.agents.permissions import Permissions
from specthread.config_parts import ContextSettings, EnvironmentSettings, TraceSettings
from specthread.config_vocabulary import REPOSITORY_FILE, complaint_about, complaint_about_theirs, is_power
from specthread.limit_settings import LimitSettings, limits_from
from specthread.model_settings import MessagesSettings, messages_from
from specthread.price_settings import prices_from
from specthread.toml_line import line_of
from specthread.verification_settings import checks_from, review_from

if TYPE_CHECKING:
    from specthread.agents.role_file import RoleFile

WAYS_OUT = (
    "Set ANTHROPIC_API_KEY and restart the daemon (`specthread daemon stop`); or set messages.base_url in your settings to a local server "
    "that speaks the Messages API (`specthread doctor --local` looks for one); or try `specthread demo`, "
    "which needs no key."
)
"""What a person without a key can do."""
CHECK_TIMEOUT = 600.0
"""Seconds a check may take where nobody says otherwise."""

_POSITION = re.compile(r"\(at line (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigProblem:
    """Something a settings file says that cannot be used; `line` counts from 1, None where it is not known."""

    file: str
    line: int | None
    message: str

    def __str__(self) -> str:
        """Returns `file:line: sentence`."""
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a person can choose.

    `project_check` is a shell command, `check_timeout` the seconds a check may take; `agents` says by name what external agents are started by.
    """

    agent: str = "messages"
    messages: MessagesSettings = field(default_factory=MessagesSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    context: ContextSettings = field(default_factory=ContextSettings)
    environment: EnvironmentSettings = field(default_factory=EnvironmentSettings)
    trace: TraceSettings = field(default_factory=TraceSettings)
    permissions: Permissions = field(default_factory=Permissions)
    sandbox: sandbox_settings.SandboxSettings = field(default_factory=sandbox_settings.SandboxSettings)
    worktrees: worktree_settings.WorktreeSettings = field(default_factory=worktree_settings.WorktreeSettings)
    project_check: str = ""
    check_timeout: float = CHECK_TIMEOUT
    checks: Mapping[str, Any] = field(default_factory=dict)
    """What was set of the project's checks, see `verification_settings`."""
    review: Mapping[str, Any] = field(default_factory=lambda: review_from({}))
    """Whether and how work is reviewed, see there."""
    agents: Mapping[str, AgentSettings] = field(default_factory=dict)
    roles: Mapping[str, RoleFile] = field(default_factory=dict)
    """The roles that the person or the repository says anything of in a file, by name."""
    resources: Mapping[str, int] = field(default_factory=dict)
    """How many sessions may share a resource, by its name; one that is not named is shared by any number."""
    forges: Mapping[str, str] = field(default_factory=dict)
    """Hosts of forges that somebody runs themselves: `github` or `gitlab` by host."""
    provider: Mapping[str, Any] = field(default_factory=dict)
    """What was set of how calls to the model's provider are held back, see `provider_settings`."""
    retry: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What was set of trying again, by `model`, `effect` and `forge`."""
    prices: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    """What models cost by the person's word, see `price_settings`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Powers:
    """The keys of a repository's file that would run or permit something, by dotted name, with the fingerprint a human can allow."""

    file: Path
    keys: Mapping[str, Any]
    fingerprint: str
    allowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Settings that can be used at once, with what was wrong in the files and what the repository asks for."""

    settings: Settings
    powers: Powers | None = None
    problems: tuple[ConfigProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The keys found in the environment; never read from, or written to, a file."""

    api_key: str | None
    auth_token: str | None

    @property
    def present(self) -> bool:
        """Tells whether there is one at all."""
        return bool(self.api_key or self.auth_token)


def load(repository: Path | None, environ: Mapping[str, str]) -> Loaded:
    """Returns the settings for a repository: the defaults, the user's file over them, then what the repository may say. Never raises."""
    values, problems = _read_all(user_file(environ), complaint_about, _config_folder(environ))
    powers: Powers | None = None
    if repository is not None:
        theirs, more = _read_all(repository / REPOSITORY_FILE, complaint_about_theirs, repository / role_settings.FOLDER)
        problems += more
        theirs |= worktree_settings.included(repository)
        powers = _powers(repository, theirs, environ)
        counted = {name: value for name, value in theirs.items() if not is_power(name) or (powers and powers.allowed)}
        # The person's own word wins over the repository's.
        values = counted | values
    return Loaded(settings=_settings(values), powers=powers, problems=tuple(problems))


def allow(powers: Powers, environ: Mapping[str, str]) -> None:
    """Writes down that the human allows exactly these powers for this folder. Raises OSError."""
    allowed = _allowed(environ) | {_place(powers.file.parent): powers.fingerprint}
    target = _config_folder(environ) / "allowed.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f"allowed.json.{os.getpid()}")
    fresh.write_text(json.dumps(allowed, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    fresh.replace(target)


def user_file(environ: Mapping[str, str]) -> Path:
    """Returns where the user's own settings are read from."""
    return _config_folder(environ) / "config.toml"


def credentials(environ: Mapping[str, str]) -> Credentials:
    """Returns the keys for the Messages API; only the environment is asked."""
    return Credentials(api_key=environ.get("ANTHROPIC_API_KEY") or None, auth_token=environ.get("ANTHROPIC_AUTH_TOKEN") or None)


# --- reading ------------------------------------------------------------------------------------------------------------


Complaint = Callable[[str, Any], str]
"""Says what is wrong with a key and its value, or nothing."""


def read(file: Path, complaint: Complaint) -> tuple[dict[str, Any], list[ConfigProblem]]:
    """Returns the values of a settings file by dotted name, without those there is a complaint about. Never raises."""
    line: int | None = None
    try:
        text = file.read_bytes().decode("utf-8")
        table = tomllib.loads(text)
    except FileNotFoundError:
        return {}, []
    except OSError as error:
        sentence = f"The file cannot be read: {error.strerror}. It was left out."
    except UnicodeDecodeError:
        sentence = "The file is not UTF-8 text. Save it as UTF-8; until then it is left out."
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        at = _POSITION.search(str(error))
        line = int(at[1]) if at else len(text.splitlines()) if "at end of document" in str(error) else None
        sentence = f"The file is not valid TOML: {str(error).partition(' (at ')[0]}. It was left out."
    else:
        return _checked(str(file), text, table, complaint)
    return {}, [ConfigProblem(file=str(file), line=line, message=sentence)]


def _read_all(file: Path, complaint: Complaint, folder: Path) -> tuple[dict[str, Any], list[ConfigProblem]]:
    """Returns what a settings file and the role files in a folder say."""
    values, problems = read(file, complaint)
    roles, wrong = role_settings.read(folder)
    return values | roles, [*problems, *(ConfigProblem(file=str(where), line=None, message=what) for where, what in wrong)]


def _checked(file: str, text: str, table: Mapping[str, Any], complaint: Complaint) -> tuple[dict[str, Any], list[ConfigProblem]]:
    values: dict[str, Any] = {}
    problems: list[ConfigProblem] = []
    for name, value in _flat(table, ""):
        if sentence := complaint(name, value):
            problems.append(ConfigProblem(file=file, line=line_of(text, name), message=sentence))
        else:
            values[name] = value
    return values, problems


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and prefix not in {"resources.", "prices."}:  # the name of a resource or a model may hold dots
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _powers(repository: Path, values: Mapping[str, Any], environ: Mapping[str, str]) -> Powers | None:
    keys = {name: value for name, value in sorted(values.items()) if is_power(name)}
    if not keys:
        return None
    canonical = json.dumps(keys, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    fingerprint = hashlib.sha256(canonical.encode()).hexdigest()
    allowed = _allowed(environ).get(_place(repository)) == fingerprint
    alone = worktree_settings.INCLUDE_FILE if keys.keys() == {worktree_settings.INCLUDE_FILE} else ""
    asking = role_settings.FOLDER if all(map(role_settings.is_role, keys)) else alone or REPOSITORY_FILE
    return Powers(file=repository / asking, keys=keys, fingerprint=fingerprint, allowed=allowed)


def _settings(values: Mapping[str, Any]) -> Settings:
    share = values.get("environment.share")
    return Settings(
        agent=values.get("agent") or "messages",
        messages=messages_from(values),
        roles=role_settings.roles_from(values),
        limits=limits_from(values),
        permissions=sandbox_settings.permissions_from(values),
        sandbox=sandbox_settings.sandbox_from(values),
        context=ContextSettings(
            **{key: values[f"context.{key}"] for key in ContextSettings.__dataclass_fields__ if f"context.{key}" in values}
        ),
        environment=EnvironmentSettings(
            share=None if share is None else tuple(share),
            **{key: values[f"environment.{key}"] for key in ("setup", "cleanup", "timeout") if f"environment.{key}" in values},
        ),
        trace=TraceSettings(**{key: tuple(values.get(f"trace.{key}", ())) for key in TraceSettings.__dataclass_fields__}),
        worktrees=worktree_settings.worktrees_from(values),
        project_check=values.get("check.project", ""),
        checks=checks_from(values),
        review=review_from(values),
        check_timeout=float(values.get("check.timeout", CHECK_TIMEOUT)),
        resources={name.partition(".")[2]: value for name, value in values.items() if name.startswith("resources.")},
        forges={host.lower(): kind for kind in ("github", "gitlab") for host in values.get(f"forge.{kind}", ())},
        provider=provider_settings.given(values, "provider"),
        retry=provider_settings.retries(values),
        prices=prices_from(values),
        agents=agents_from(values),
    )


def _allowed(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns folder -> fingerprint; a file that cannot be understood allows nothing."""
    try:
        value = json.loads((_config_folder(environ) / "allowed.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return cast("dict[str, str]", value) if isinstance(value, dict) else {}


def _config_folder(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".config")  # noqa: PTH111, PTH118  Path.home ignores `environ`
    return Path(base) / "specthread"


def _place(folder: Path) -> str:
    return os.path.realpath(folder)
