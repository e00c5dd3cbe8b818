"""What in a repository would make git, in the hands of its user, run a program or follow a redirection: settings of its own, and hooks.

A clone cannot bring any of it, but whoever gets hold of the git folder can plant it. Our own runner follows none of it; a person who types `git` there
does. Only the files of the repository itself are read: what the person has in a config of their own is theirs.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from specgit.errors import NotARepository, mask
from specgit.repository import Repository

_RUNS = re.compile(
    r"filter\..*|diff\.external|diff\..*\.(command|textconv)|merge\..*\.driver|(diff|merge)tool\..*\.(cmd|path)|interactive\.difffilter"
    r"|core\.(fsmonitor|hookspath|sshcommand|gitproxy|askpass|editor|pager|worktree|attributesfile|alternaterefscommand)"
    r"|gpg\.(.*\.)?program|credential\..*|include\..*|includeif\..*|alias\..*|url\..*\.(push)?insteadof"
    r"|remote\..*\.(uploadpack|receivepack|vcs)|sequence\.editor|pager\..*|(browser|man)\..*\.(cmd|path)|trailer\..*\.(cmd|command)"
    r"|submodule\..*\.update|uploadpack\.packobjectshook|protocol\..*|gpg\.ssh\.defaultkeycommand|http\.(.*\.)?(proxy|ssl.*|extraheader|cookiefile)"
    r"|remote\..*\.proxy|tar\..*\.command|sendemail\..*cmd|lfs\.(customtransfer|extension)\..*",
    re.DOTALL,
)
_INCLUDED = re.compile(r"include(if\..*)?\.path", re.DOTALL)
_LARGEST = 1 << 20
_SHOWN = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """Each such setting or hook by its name, with what it says: its values, or what its file holds as a digest."""

    items: Mapping[str, str]

    @property
    def digests(self) -> dict[str, str]:
        """What can be kept to be compared with later; a value may be a secret, its digest is not."""
        return {name: hashlib.sha256(os.fsencode(value)).hexdigest() for name, value in sorted(self.items.items())}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChange:
    """One difference to what was known; `value` is what it says now, for a person: cut, and without the credentials of addresses."""

    name: str
    how: Literal["added", "changed", "removed"]
    value: str = ""

    def __str__(self) -> str:
        """Returns it in a few words, on one line."""
        return f"{self.name} was {self.how}" + (f" ({self.value})" if self.value else "")


def fingerprint_of(repository: Repository) -> Fingerprint:
    """Reads the settings and hooks of a repository and of all its worktrees that could run or redirect something; runs and follows none of them.

    Raises NotARepository where it has gone.
    """
    if not repository.git_dir.is_dir():
        raise NotARepository(f"There is no folder {repository.git_dir} any more. Put the repository back where it was.")
    found: dict[str, list[str]] = {}
    for name, value in [*_settings(repository), *_hooks(repository.git_dir / "hooks")]:
        found.setdefault(name, []).append(value)
    return Fingerprint(items={name: "\n".join(values) for name, values in found.items()})


def changes_since(known: Mapping[str, str], now: Fingerprint) -> tuple[ConfigChange, ...]:
    """Compares with the digests of an earlier time."""
    digests = now.digests
    new = (
        ConfigChange(name=name, how="changed" if name in known else "added", value=_shown(now.items[name]))
        for name, digest in digests.items()
        if known.get(name) != digest
    )
    gone = (ConfigChange(name=name, how="removed") for name in sorted(known.keys() - digests.keys()))
    return (*new, *gone)


def _settings(repository: Repository) -> Iterator[tuple[str, str]]:
    files = [repository.git_dir / "config", *(folder / "config.worktree" for folder, _ in repository.git_folders())]
    for file in dict.fromkeys(files):
        if not file.is_file():  # none, or a pipe, for whose writer git would wait
            continue
        listed = repository.runner.run(["config", f"--file={file}", "--no-includes", "--list", "-z"]).stdout
        for item in os.fsdecode(listed).split("\0")[:-1]:
            name, _, value = item.partition("\n")
            if _RUNS.fullmatch(name):
                yield name, f"{value}\n{_digest(_included(file, value))}" if _INCLUDED.fullmatch(name) else value


def _included(file: Path, value: str) -> Path:
    return file.parent / Path(value).expanduser() if not value.startswith("%(prefix)") else Path(os.devnull)


def _hooks(folder: Path) -> Iterator[tuple[str, str]]:
    """The hooks that git would start: what can be executed, and is no sample."""
    for file in sorted(folder.iterdir()) if folder.is_dir() else []:
        if not file.name.endswith(".sample") and os.access(file, os.X_OK) and not file.is_dir():
            yield f"hooks/{file.name}", _digest(file)


def _digest(file: Path) -> str:
    """What a file holds; of a large one only how large it is and when it was written."""
    try:
        facts = file.stat()
        if not stat.S_ISREG(facts.st_mode):
            return "no file"
        if facts.st_size > _LARGEST:
            return f"{facts.st_size} bytes of {facts.st_mtime_ns}"
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except (OSError, ValueError):
        return "no file"


def _shown(value: str) -> str:
    line = mask(" ".join(value.split()))
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
