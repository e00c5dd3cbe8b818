"""Whether git, typed by the person, would run or follow something in a repository that is new since they last said that it is theirs.

What a repository held when the daemon first opened it counts as known: nobody of ours had worked in it. From then on each difference is told by `show` and
`doctor` and keeps the daemon from naming a git command to run, until `specthread allow` takes it in. The daemon itself goes on: it follows none of it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from specgit.errors import UntrustedConfig
from specgit.fingerprint import ConfigChange, Fingerprint, changes_since, fingerprint_of
from specgit.repository import Repository

LEAVE = "`git config --local --list --show-origin` shows the settings; if they are yours, `specthread allow` takes them in."


def remember_first(file: Path, repository: Repository) -> None:
    """Takes in what a repository holds, where nothing is known of it yet. Raises OSError, GitError."""
    if not file.exists():
        take_in(file, fingerprint_of(repository))


def take_in(file: Path, now: Fingerprint) -> None:
    """Writes down what a repository holds, as it was shown. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    fresh.write_text(json.dumps(now.digests, indent=2) + "\n", encoding="utf-8")
    fresh.replace(file)


def unknown_changes(file: Path, now: Fingerprint) -> tuple[ConfigChange, ...]:
    """Returns what has changed since; nothing for a repository of which nothing is known, as no agent has worked in it. Raises OSError."""
    try:
        known = json.loads(file.read_bytes())
    except FileNotFoundError:
        return ()
    except ValueError:  # what cannot be understood knows nothing
        known = {}
    changes = changes_since(known if isinstance(known, dict) else {}, now)
    # What is gone runs nothing; it is told beside what is new.
    return changes if any(change.how != "removed" for change in changes) else ()


def require_known(file: Path, repository: Repository) -> None:
    """Raises UntrustedConfig where a person who runs git in the repository would run something that is new."""
    if changes := unknown_changes(file, fingerprint_of(repository)):
        raise UntrustedConfig([str(change) for change in changes], leave=LEAVE)


def cautions(file: Path, repository: Repository) -> tuple[str, ...]:
    """Returns the same as a sentence to be shown, or nothing. Raises OSError, GitError."""
    try:
        require_known(file, repository)
    except UntrustedConfig as new:
        return (new.message,)
    return ()
