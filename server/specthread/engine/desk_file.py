"""Single files of a desk: read them only when no saver is in the middle of writing, and change them in one step.

Everything here blocks and is called in a thread. Reading takes a *read lease* where the system has them: it is granted only while nobody
has the file open for writing, and holds new writers back for the moment of the read, so what is read is one whole save. Writing swaps a
finished file with the present one, so that no save can fall in between: whoever wrote at the same moment wrote into the file that was
swapped out, and that file is still there to be read.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import os
import signal
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

SIZE_LIMIT = 5_000_000
"""Bytes above which a saved file is not taken as a document."""

Exchange = Callable[[Path, Path], bool]
"""Swaps two files in one step; returns False where the system cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskFolders:
    """The three folders of a desk, on one file system."""

    desk: Path
    """What people see."""
    held: Path
    """Where files are prepared and held once swapped out: in the watched tree, but out of sight."""
    history: Path
    """One folder per document with what its file has held; not watched."""

    @classmethod
    def of(cls, desk: Path) -> Self:
        """Returns the folders that go with the desk `<state>/desk/<repository>/<id>`."""
        root, repository = desk.parents[1], desk.parent.name
        return cls(desk=desk, held=root / ".held" / repository / desk.name, history=root.with_name("desk-history") / repository / desk.name)


_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_CANNOT_EXCHANGE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a path held when it was looked at. Two equal looks mean that nothing happened in between.

    `settled`: whole content, nobody is writing. `open`: a writer still has the file. `unsure`: this file system cannot tell. `refused`: not
    a document, for `reason`.
    """

    kind: Literal["absent", "open", "unsure", "settled", "refused"]
    content: bytes = b""
    reason: str = ""
    stamp: tuple[int, ...] = ()
    """Inode, size and times: a file that is being written differs from look to look. Empty for a settled one, whose content says all."""


def look(path: Path) -> Look:
    """Reads a file of the desk without following links; raises OSError when the disk does not let it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return Look(kind="absent")
    except OSError as fault:
        if fault.errno not in {errno.ELOOP, errno.ENXIO}:
            raise
        return _refused("is a link or a device, not a text file", os.lstat(path))
    try:
        return _look_inside(descriptor)
    finally:
        os.close(descriptor)


def exchange_files(first: Path, second: Path) -> bool:
    """Swaps two files in one step by `renameat2`; returns False where system or file system cannot.

    Raises FileNotFoundError when either is missing.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "renameat2"):
        return False
    if library.renameat2(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _CANNOT_EXCHANGE:
        return False
    raise OSError(code, os.strerror(code), str(first), None, str(second))


def make_folder(folder: Path, *, outside: Path) -> None:
    """Makes a folder and its parents appear in one step, however deep: file watchers miss or repeat what grows level by level.

    It is built in `outside`, a folder of the same file system that nobody watches.
    """
    while missing := [path for path in (folder, *folder.parents) if not path.exists()]:
        outside.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=outside) as building:
            built = Path(building, missing[-1].name)
            (built / folder.relative_to(missing[-1])).mkdir(parents=True)
            try:
                built.rename(missing[-1])
            except OSError:
                # Another desk may have made a part of it meanwhile; then less is missing.
                if not missing[-1].is_dir():
                    raise


def place(target: Path, content: bytes, *, folders: DeskFolders) -> None:
    """Writes a file that is not there yet, whole or not at all; raises FileExistsError when it appeared meanwhile."""
    make_folder(target.parent, outside=folders.history)
    prepared = _prepare(content, folders, target)
    try:
        os.link(prepared, target)
    finally:
        prepared.unlink()
    _sync_folder(target.parent)


def swap(target: Path, content: bytes, *, folders: DeskFolders, exchange: Exchange) -> Path:
    """Replaces a file in one step and returns where the file that was there is now held, with all that savers may still write into it.

    Raises FileNotFoundError, with nothing changed, when the target is gone.
    """
    prepared = _prepare(content, folders, target)
    try:
        swapped = exchange(prepared, target)
    except OSError:
        prepared.unlink()
        raise
    kept = prepared if swapped else _replace_keeping(target, prepared)
    _sync_folder(target.parent)
    return kept


def _replace_keeping(target: Path, prepared: Path) -> Path:
    # Without an exchange the old file gets a second name first: a saver that writes in place is still seen, only one that renames at this
    # very moment is not.
    kept = prepared.with_name(f"{prepared.name}.old")
    try:
        os.link(target, kept)
    except OSError:
        prepared.unlink()
        raise
    prepared.replace(target)
    return kept


def held_of(target: Path, folders: DeskFolders) -> list[Path]:
    """Returns the files that were swapped out of this place and are still watched, by name."""
    prefix = _held_prefix(target, folders)
    return sorted(path for path in folders.held.iterdir() if path.name.startswith(prefix)) if folders.held.is_dir() else []


def _held_prefix(target: Path, folders: DeskFolders) -> str:
    """What the names of such files begin with: two documents of a SpecTask may have one file name, in different folders."""
    place = os.fsencode(os.path.relpath(target, folders.desk))
    return f"{target.name}.{hashlib.sha256(place).hexdigest()[:8]}."


def _prepare(content: bytes, folders: DeskFolders, target: Path) -> Path:
    make_folder(folders.held, outside=folders.history)
    descriptor, path = tempfile.mkstemp(prefix=_held_prefix(target, folders), dir=folders.held)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return Path(path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _look_inside(descriptor: int) -> Look:
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        return _refused("is a folder or a device, not a text file", before)
    if before.st_size > SIZE_LIMIT:
        return _refused(f"is larger than {SIZE_LIMIT // 1_000_000} MB", before)
    kind = _lease(descriptor)
    try:
        content = os.pread(descriptor, SIZE_LIMIT + 1, 0)
    finally:
        if kind == "settled":
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    if b"\0" in content:
        return _refused("holds binary data", before)
    return Look(kind=kind, content=content, stamp=() if kind == "settled" else _stamp(os.fstat(descriptor)))


def _lease(descriptor: int) -> Literal["settled", "open", "unsure"]:
    if not hasattr(fcntl, "F_SETLEASE"):
        return "unsure"
    try:
        # A writer that has to wait is announced by a signal; this one is ignored unless somebody asks for it.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as fault:
        return "open" if fault.errno == errno.EAGAIN else "unsure"
    return "settled"


def _refused(reason: str, found: os.stat_result) -> Look:
    return Look(kind="refused", reason=reason, stamp=_stamp(found))


def _stamp(found: os.stat_result) -> tuple[int, ...]:
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
