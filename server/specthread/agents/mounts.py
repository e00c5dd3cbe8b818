"""What a sandbox shows of the machine, and where the interpreters outside /usr are that it must show.

An interpreter is shown by its version's prefix (`…/versions/3.11.7`), never by the home folder around it: the home folder holds secrets.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SYSTEM = tuple(Path(path) for path in ("/usr", "/bin", "/sbin", "/lib", "/lib64"))
_INTERPRETER = re.compile(r"(python|pypy|node|npm|npx|ruby|perl|java|go|deno|bun)[0-9.]*$")
_LINK_LIMIT = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """Shows a file or folder of the machine at a path of the sandbox."""

    source: Path
    target: str
    writable: bool


def interpreter_mounts(path_entries: Sequence[str], links: Sequence[Path]) -> tuple[Mount, ...]:
    """Returns read-only mounts, each at its own path, for the interpreters that PATH entries and links outside /usr lead to.

    `links` are files such as a venv's `bin/python`; every link on the way to the real file is made to work too.
    """
    found: list[Path] = []
    for entry in (Path(text) for text in path_entries if os.path.isabs(text)):  # noqa: PTH117  a cheap test before a Path is made
        if os.access(entry, os.R_OK | os.X_OK) and entry.is_dir() and not _in_system(entry):
            found.append(_shown_for_folder(entry))
            found += [shown for link in _interpreters(entry) for shown in _shown_for_link(link)]
    found += [shown for link in links for shown in _shown_for_link(link)]
    return tuple(Mount(source=path, target=str(path), writable=False) for path in _outermost(found))


def apart_from(mounts: Sequence[Mount], places: Sequence[Path]) -> tuple[Mount, ...]:
    """Returns the mounts that show nothing of these places: none lies at, in or around one of them, nor does what it leads to."""
    guarded = {path for place in places for path in (place, place.resolve())}
    return tuple(
        mount for mount in mounts if not any(_overlap(path, place) for path in (mount.source, mount.source.resolve()) for place in guarded)
    )


def _overlap(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _interpreters(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if _INTERPRETER.match(path.name) and path.is_symlink())


def _shown_for_folder(folder: Path) -> Path:
    """Returns the installation a PATH folder belongs to, or the folder alone where its surroundings may hold more than programs."""
    return folder.parent if _is_prefix(folder.parent, folder.name) else folder


def _shown_for_link(link: Path) -> Iterator[Path]:
    """Yields what must be shown for each step of a chain of links, as each step spells it."""
    path = Path(os.path.abspath(link))  # noqa: PTH100  resolve() would follow the links that are to be looked at
    for _ in range(_LINK_LIMIT):
        if not path.is_symlink():
            break
        path = Path(os.path.normpath(path.parent / path.readlink()))
        if path.exists() and not _in_system(path):
            yield path.parent.parent if _is_prefix(path.parent.parent, path.parent.name) else path


def _is_prefix(folder: Path, programs: str) -> bool:
    """Tells whether a folder is one installation: a version's prefix, or a version switch with the versions it switches between."""
    home = Path.home()
    if folder == home / ".local" or home.is_relative_to(folder):
        return False
    return (programs == "bin" and (folder / "lib").is_dir()) or (programs == "shims" and (folder / "versions").is_dir())


def _in_system(path: Path) -> bool:
    return any(path.is_relative_to(root) for root in SYSTEM)


def _outermost(paths: Sequence[Path]) -> list[Path]:
    kept: list[Path] = []
    for path in sorted(set(paths), key=lambda path: len(path.parts)):
        if not any(path.is_relative_to(outer) for outer in kept):
            kept.append(path)
    return kept
