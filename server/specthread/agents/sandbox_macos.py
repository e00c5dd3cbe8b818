"""What a sandbox is on macOS: a profile for `sandbox-exec`, and the command line that runs under it.

UNTESTED: written from what is documented of the profile language, and never run on a Mac; nothing in the daemon uses it yet. Beside that it holds less than
bubblewrap: there is one file system for all, so everything stands at its own path, processes see each other, and what is hidden is refused instead of absent.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from specthread.agents.sandbox import SandboxProfile

PROGRAM = "/usr/bin/sandbox-exec"
_READABLE = ("/usr", "/bin", "/sbin", "/System", "/Library", "/private/etc", "/private/var/db/timezone", "/opt/homebrew", "/dev")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/tty", "/dev/random", "/dev/urandom", "/dev/dtracehelper")


def arguments(profile: SandboxProfile, command: str, scratch: Path) -> list[str]:
    """Returns the command line that runs a bash command in `scratch` as its temporary folder and home; a mount at another path than its own raises ValueError."""
    variables = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **profile.environment, "HOME": str(scratch), "TMPDIR": str(scratch)}
    clean = ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in variables.items())]
    return [PROGRAM, "-p", profile_text(profile, scratch), *clean, "/bin/bash", "-c", command]


def profile_text(profile: SandboxProfile, scratch: Path) -> str:
    """Returns the profile: everything is denied but what is named; of two rules that fit, the later one counts."""
    moved = next((mount for mount in profile.mounts if str(mount.source) != mount.target), None)
    if moved is not None:
        raise ValueError(f"{moved.source} cannot be shown at {moved.target}: on macOS everything stands at its own path.")
    return "\n".join(_lines(profile, scratch)) + "\n"


def _lines(profile: SandboxProfile, scratch: Path) -> Iterator[str]:
    yield "(version 1)"
    yield "(deny default)"
    yield "(allow process-fork process-exec)"
    yield "(allow signal (target same-sandbox))"
    yield "(allow sysctl-read)"
    yield '(allow file-read-metadata (subpath "/"))'
    yield f"(allow file-read* {_paths(_READABLE)})"
    yield f"(allow file-write* {' '.join(f'(literal {_quoted(device)})' for device in _DEVICES)})"
    yield f"(allow file-read* file-write* {_paths([str(scratch)])})"
    # The deeper path is the narrower rule, so it comes later.
    for mount in sorted(profile.mounts, key=lambda mount: len(Path(mount.target).parts)):
        yield f"(allow file-read* {_paths([mount.target])})"
        yield f"({'allow' if mount.writable else 'deny'} file-write* {_paths([mount.target])})"
    for path in profile.hidden:
        yield f"(deny file-read* file-write* {_paths([path])})"
    if profile.network:
        yield "(allow network-outbound network-bind)"
        yield '(allow mach-lookup (global-name "com.apple.dnssd.service"))'


def _paths(paths: tuple[str, ...] | list[str]) -> str:
    return " ".join(f"(subpath {_quoted(path)})" for path in paths)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
