"""Writing below a folder that somebody else also writes: no step ever follows a link, so nothing outside is touched."""

import os
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from specgit.errors import UnsafePath, writing
from specgit.types import danger_of

SYMLINK = "120000"
EXECUTABLE = "100755"

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Folder:
    """An open folder whose files are written and removed by relative path; to be used as a context."""

    def __init__(self, path: Path) -> None:
        self._root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._near: tuple[tuple[str, ...], int] = ((), self._root)

    @writing()
    def write(self, path: str, mode: str, content: bytes) -> None:
        """Writes a file or link as git would check it out; whatever stood at its place is removed."""
        *parents, name = _parts(path)
        parent = self._open(tuple(parents))
        try:
            _create(parent, name, mode, content)
        except FileExistsError:
            _remove_entry(parent, name)
            _create(parent, name, mode, content)

    @writing()
    def make(self, path: str) -> None:
        """Makes an empty folder where none is."""
        self._open(tuple(_parts(path)))

    def remove(self, path: str) -> None:
        """Removes a file or link, and the folders that this leaves empty; nothing happens when it is not there."""
        parts = _parts(path)
        self._leave()
        for depth in range(len(parts) - 1, -1, -1):
            try:
                parent = open_below(self._root, parts[:depth])
            except OSError:  # a parent is missing or is a link: then this path is not there
                continue
            try:
                (os.unlink if depth == len(parts) - 1 else os.rmdir)(parts[depth], dir_fd=parent)
            except OSError:  # missing, or a folder that still holds something
                return
            finally:
                os.close(parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._leave()
        os.close(self._root)

    def _open(self, parts: tuple[str, ...]) -> int:
        """Returns a descriptor of a folder, making it; kept until another one is asked for, since paths come sorted."""
        if self._near[0] == parts:
            return self._near[1]
        self._leave()
        current = os.dup(self._root)
        for part in parts:
            try:
                below = _enter(current, part)
            finally:
                os.close(current)
            current = below
        self._near = (parts, current)
        return current

    def _leave(self) -> None:
        if self._near[1] != self._root:
            os.close(self._near[1])
        self._near = ((), self._root)


def open_below(root: int, parts: Sequence[str]) -> int:
    """Opens a folder below another one without following a link; the caller closes the descriptor."""
    current = os.dup(root)
    for part in parts:
        try:
            below = os.open(part, _FOLDER_FLAGS, dir_fd=current)
        finally:
            os.close(current)
        current = below
    return current


def delete_tree(path: Path) -> None:
    """Deletes a folder, or whatever is there, also when folders in it were made unreadable."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    while path.is_dir():
        try:
            shutil.rmtree(path)
        except FileNotFoundError:  # somebody else deletes it as well
            continue
        except PermissionError:
            _open_up(path)
            shutil.rmtree(path)


def _open_up(path: Path) -> None:
    path.chmod(stat.S_IRWXU)
    for folder, names, _ in os.walk(path):
        for name in names:
            if not Path(folder, name).is_symlink():
                Path(folder, name).chmod(stat.S_IRWXU)


def _parts(path: str) -> list[str]:
    parts = path.split("/")
    if reason := next(filter(None, map(danger_of, parts)), ""):
        raise UnsafePath(f"The path {path!r} is not written to disk: {reason}. Somebody put it into the history on purpose; look at it.")
    return parts


def _enter(parent: int, name: str) -> int:
    try:
        os.mkdir(name, dir_fd=parent)
    except FileExistsError:
        if not stat.S_ISDIR(os.lstat(name, dir_fd=parent).st_mode):
            _remove_entry(parent, name)
            os.mkdir(name, dir_fd=parent)
    return os.open(name, _FOLDER_FLAGS, dir_fd=parent)


def _create(parent: int, name: str, mode: str, content: bytes) -> None:
    if mode == SYMLINK:
        os.symlink(content, os.fsencode(name), dir_fd=parent)
        return
    permissions = 0o777 if mode == EXECUTABLE else 0o666
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, permissions, dir_fd=parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _remove_entry(parent: int, name: str) -> None:
    if stat.S_ISDIR(os.lstat(name, dir_fd=parent).st_mode):
        shutil.rmtree(name, dir_fd=parent)
    else:
        os.unlink(name, dir_fd=parent)
