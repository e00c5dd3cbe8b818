"""The external agents that are known by name: how each is started over ACP, which credential it is given, and where it comes from.

None of them is needed, and none is started to find out whether it is there: a look at PATH is enough.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "acp:"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalAgent:
    """Is how an external agent is started: `credentials` are variables of the daemon's environment it is given as far as they are set, `fixed` such that are no secret."""

    name: str
    command: tuple[str, ...]
    credentials: tuple[str, ...] = ()
    fixed: Mapping[str, str]
    title: str = ""
    get: str = ""
    needs_credential: bool = False

    @property
    def backend(self) -> str:
        """The name by which a SpecTask or a role chooses it."""
        return f"{PREFIX}{self.name}"

    @property
    def is_there(self) -> bool:
        """Tells whether its program is on PATH."""
        return shutil.which(self.command[0]) is not None

    def given(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Returns the variables it is given of an environment."""
        return {**self.fixed, **{name: environ[name] for name in self.credentials if environ.get(name)}}

    def lacks(self, environ: Mapping[str, str]) -> str:
        """Returns what keeps it from working, in a sentence that says what to do, or nothing."""
        if not self.is_there:
            how = f" Get it with `{self.get}`." if self.get else " Install it, or correct its command in your settings."
            return f"The program of {self.backend}, `{self.command[0]}`, is not on the PATH.{how}"
        if self.needs_credential and not any(environ.get(name) for name in self.credentials):
            names = " or ".join(self.credentials)
            return f"{self.backend} has no credential: it sees none of your files, so set {names} and restart the daemon (`specthread daemon stop`)."
        return ""


KNOWN = (
    ExternalAgent(
        name="claude",
        title="Claude Code",
        command=("claude-agent-acp",),
        credentials=("ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"),
        fixed={"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"},
        get="npm install -g @agentclientprotocol/claude-agent-acp",
        needs_credential=True,
    ),
    ExternalAgent(
        name="codex",
        title="Codex",
        command=("codex-acp",),
        credentials=("OPENAI_API_KEY", "CODEX_API_KEY"),
        fixed={},
        get="npm install -g @agentclientprotocol/codex-acp",
        needs_credential=True,
    ),
    ExternalAgent(
        name="gemini",
        title="Gemini CLI",
        command=("gemini", "--acp"),
        credentials=("GEMINI_API_KEY",),
        fixed={"GEMINI_CLI_NO_RELAUNCH": "true"},
        get="npm install -g @google/gemini-cli",
        needs_credential=True,
    ),
    ExternalAgent(
        name="opencode",
        title="OpenCode",
        command=("opencode", "acp"),
        credentials=("ANTHROPIC_API_KEY", "OPENAI_API_KEY"),
        fixed={"OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1"},
        get="npm install -g opencode-ai",
    ),
)
"""The agents with a name of their own; a person's settings may change each and add others."""


def external_agent(
    name: str, command: tuple[str, ...] | None, args: tuple[str, ...] | None, env: tuple[str, ...] | None
) -> ExternalAgent | None:
    """Returns the agent of a name as settings change it; None where they add one without a command."""
    known = next((agent for agent in KNOWN if agent.name == name), None)
    program = command or (known.command if known else None)
    if program is None:
        return None
    if args is not None:
        program = (*(command or program[:1]), *args)
    if env is None:
        names, fixed = (known.credentials, known.fixed) if known else ((), {})
    else:
        names = tuple(each for each in env if "=" not in each)
        fixed = dict(each.split("=", 1) for each in env if "=" in each)
    own = env is None and known is not None
    return ExternalAgent(
        name=name,
        command=program,
        credentials=names,
        fixed=fixed,
        title=known.title if known else name,
        get=known.get if known and command is None else "",
        needs_credential=own and known is not None and known.needs_credential,
    )
