"""Real repositories for tests: pinned identity and dates, no config of this machine, and a fingerprint of what must not change."""

import hashlib
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

AUTHOR = ("Ada Example", "ada@example.org")
EPOCH = "1700000000 +0000"


def isolate_git(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Gives this process, and every process it starts, an empty home and no inherited git setting."""
    home.mkdir(parents=True, exist_ok=True)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))


def git(where: Path, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
    """Runs plain git in `where` as the pinned author and returns its output without the last newline."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "LC_ALL": "C",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": AUTHOR[0],
        "GIT_AUTHOR_EMAIL": AUTHOR[1],
        "GIT_COMMITTER_NAME": AUTHOR[0],
        "GIT_COMMITTER_EMAIL": AUTHOR[1],
        "GIT_AUTHOR_DATE": EPOCH,
        "GIT_COMMITTER_DATE": EPOCH,
        **(env or {}),
    }
    done = subprocess.run(["git", "-C", str(where), *args], input=stdin, capture_output=True, env=environment, check=False)
    assert done.returncode == 0, f"git {' '.join(args)} ended with {done.returncode}: {done.stderr.decode(errors='replace')}"
    return done.stdout.decode(errors="surrogateescape").rstrip("\n")


def make_repository(path: Path, files: Mapping[str, str | bytes], *, object_format: str = "sha1") -> Path:
    """Makes a repository with branch `main` and one commit of `files` (none given: no commit) and returns its path."""
    path.mkdir(parents=True, exist_ok=True)
    git(path, "init", "--quiet", "--initial-branch=main", f"--object-format={object_format}")
    git(path, "config", "user.name", AUTHOR[0])
    git(path, "config", "user.email", AUTHOR[1])
    if files:
        commit_files(path, files, "Begin")
    return path


def write_files(path: Path, files: Mapping[str, str | bytes]) -> None:
    """Writes each file below `path`, making its folders."""
    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())


def commit_files(path: Path, files: Mapping[str, str | bytes], message: str) -> str:
    """Writes and commits `files` in the checkout as the human would, and returns the commit id."""
    write_files(path, files)
    git(path, "add", "--all", "--", *files)
    git(path, "commit", "--quiet", "--message", message)
    return git(path, "rev-parse", "HEAD")


def fingerprint(checkout: Path) -> dict[str, str]:
    """Maps every user-owned thing of a checkout to a hash: working files, index, HEAD, config, info files, hooks and the user's refs.

    Compare two of them around a call: Specthread's own refs, objects and lock folder are left out, all else must be equal.
    """
    found: dict[str, str] = {}
    git_dir = checkout / ".git"
    for folder, folders, names in os.walk(checkout):
        if Path(folder) == checkout and git_dir.is_dir():
            folders.remove(".git")
        found.update(_hashes(checkout, [Path(folder, name) for name in names]))
    own = [git_dir / name for name in ("index", "HEAD", "ORIG_HEAD", "config", "config.worktree") if (git_dir / name).exists()]
    for folder in ("info", "hooks"):
        own += sorted(path for path in (git_dir / folder).glob("**/*") if path.is_file())
    found.update(_hashes(checkout, own))
    for line in git(checkout, "for-each-ref", "--format=%(refname) %(objectname)").splitlines():
        ref, oid = line.split(" ")
        if not ref.startswith(("refs/heads/spectask/", "refs/tags/spectask/", "refs/specthread/")):
            found[ref] = oid
    return found


def graph(path: Path, *refs: str) -> str:
    """Draws the history of `refs`: one line per commit, newest first, with subject and trailers but no ids."""
    return git(
        path, "log", "--graph", "--topo-order", "--format=%s [%an]%(trailers:only,unfold,separator=%x7C,key_value_separator=%x3D)", *refs
    )


def _hashes(checkout: Path, paths: list[Path]) -> dict[str, str]:
    found = {}
    for path in paths:
        content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        found[str(path.relative_to(checkout))] = f"{path.lstat().st_mode:o} {hashlib.sha256(content).hexdigest()}"
    return found
