"""Real repositories for tests: pinned identity and dates, no config of this machine, and a fingerprint of what must not change."""

import hashlib
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

AUTHOR = ("Ada Example", "ada@example.org")
EPOCH = "1700000000 +0000"
OWN_REFS = ("refs/heads/spectask/", "refs/tags/spectask/", "refs/specthread/")


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
    program = shutil.which("git", path=environment["PATH"]) or "git"
    done = subprocess.run(
        [program, "-c", "safe.directory=*", "-C", str(where), *args], input=stdin, capture_output=True, env=environment, check=False
    )
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


def fingerprint(checkout: Path, *more: Path) -> dict[str, str]:
    """Maps everything in a checkout and its git folder that is the user's to a hash: files, links, folders of the checkout, refs, reflogs, config, index.

    Compare two of them around a call: Specthread's own refs, worktrees and lock folder are left out, objects too, all else must be equal. `more` are
    folders to watch besides, such as a linked worktree or the home folder.
    """
    git_dir = checkout / ".git" if (checkout / ".git").is_dir() else checkout
    found: dict[str, str] = {}
    for place in {checkout, *more} - {git_dir}:
        found |= {f"{place.name}/{path.relative_to(place)}": _hash(path) for path in _below(place) if git_dir not in path.parents}
    for path in _below(git_dir):
        name = path.relative_to(git_dir).as_posix()
        if not path.is_dir() and name != "packed-refs" and not _is_own(git_dir, name):
            found[f"git: {name}"] = _hash(path)
    for line in git(checkout, "for-each-ref", "--format=%(refname) %(objectname) %(symref)").splitlines():
        ref, value = line.split(" ", 1)
        if not ref.startswith(OWN_REFS):
            found[ref] = value
    return found


def graph(path: Path, *refs: str) -> str:
    """Draws the history of `refs`: one line per commit, newest first, with subject and trailers but no ids."""
    return git(
        path, "log", "--graph", "--topo-order", "--format=%s [%an]%(trailers:only,unfold,separator=%x7C,key_value_separator=%x3D)", *refs
    )


def _below(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        yield from (Path(parent, name) for name in [*folders, *names] if Path(parent, name) != folder / ".git" or name in names)


def _is_own(git_dir: Path, name: str) -> bool:
    """Tells whether a file of a git folder is an object, or belongs to Specthread."""
    place = name.removeprefix("logs/")
    if place.startswith(("objects/", "specthread/", *OWN_REFS)):
        return True
    kind, _, rest = place.partition("/")
    locked = git_dir / "worktrees" / rest.split("/")[0] / "locked"
    return kind == "worktrees" and locked.is_file() and locked.read_text().strip() == "specthread"


def _hash(path: Path) -> str:
    mode = path.lstat().st_mode
    if path.is_symlink():
        content = os.fsencode(path.readlink())
    else:
        content = path.read_bytes() if stat.S_ISREG(mode) else b""
    return f"{mode:o} {hashlib.sha256(content).hexdigest()}"
