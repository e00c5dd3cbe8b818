"""The text of a macOS profile; nobody has run one, so this holds what is written, not that it works."""

from pathlib import Path

import pytest

from specthread.agents.sandbox import Mount, SandboxProfile
from specthread.agents.sandbox_macos import arguments, profile_text

SCRATCH = Path("/private/tmp/st")
WORK = Path("/Users/ada/state/ws-1")
PROFILE = SandboxProfile(
    mounts=(
        Mount(source=WORK / ".git", target=str(WORK / ".git"), writable=False),
        Mount(source=WORK, target=str(WORK), writable=True),
        Mount(source=Path('/Users/ada/"q"'), target='/Users/ada/"q"', writable=False),
    ),
    cwd=str(WORK),
    environment={"COLOUR": "red"},
    hidden=("/Users/ada/state/ws-1/secret",),
)
TEXT = r"""(version 1)
(deny default)
(allow process-fork process-exec)
(allow signal (target same-sandbox))
(allow sysctl-read)
(allow file-read-metadata (subpath "/"))
(allow file-read* (subpath "/usr") (subpath "/bin") (subpath "/sbin") (subpath "/System") (subpath "/Library") (subpath "/private/etc") (subpath "/private/var/db/timezone") (subpath "/opt/homebrew") (subpath "/dev"))
(allow file-write* (literal "/dev/null") (literal "/dev/zero") (literal "/dev/tty") (literal "/dev/random") (literal "/dev/urandom") (literal "/dev/dtracehelper"))
(allow file-read* file-write* (subpath "/private/tmp/st"))
(allow file-read* (subpath "/Users/ada/\"q\""))
(deny file-write* (subpath "/Users/ada/\"q\""))
(allow file-read* (subpath "/Users/ada/state/ws-1"))
(allow file-write* (subpath "/Users/ada/state/ws-1"))
(allow file-read* (subpath "/Users/ada/state/ws-1/.git"))
(deny file-write* (subpath "/Users/ada/state/ws-1/.git"))
(deny file-read* file-write* (subpath "/Users/ada/state/ws-1/secret"))
"""  # noqa: E501


def test_everything_is_denied_but_what_is_named_and_the_narrower_rule_comes_later():
    assert profile_text(PROFILE, SCRATCH) == TEXT
    assert "network" not in TEXT


def test_a_command_is_given_no_variable_but_the_profiles():
    before, script = arguments(PROFILE, "make", SCRATCH)[3:], arguments(PROFILE, "make", SCRATCH)[-1]
    assert before[:2] == ["/usr/bin/env", "-i"]
    assert {"COLOUR=red", "HOME=/private/tmp/st", "TMPDIR=/private/tmp/st"} <= set(before)
    assert script == "make"


def test_what_would_have_to_stand_elsewhere_is_refused():
    elsewhere = SandboxProfile(mounts=(Mount(source=WORK, target="/Users/ada/project", writable=True),), cwd="/", environment={})
    with pytest.raises(ValueError, match="its own path"):
        profile_text(elsewhere, SCRATCH)
