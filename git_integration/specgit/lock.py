"""Two locks in `<git dir>/specthread/`: one daemon per repository, and one writer at a time within it.

The write lock is an flock whose descriptor is handed to every git child that moves refs, so it stays taken while such a child lives,
even when its parent was killed. Before refs move, their names are noted in the lock file. Whoever gets the lock and finds names knows
therefore that the last writer, or its git child, was killed in the middle, that neither is at work any more, and that lock files left on
these refs are stale.
"""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from specgit.errors import GitError, GitTimeout, RepositoryBusy, writing
from specgit.repository import Repository
from specgit.types import RefName

_OWNER_LIMIT = 4096
_NOTE_LIMIT = 1 << 20
_PACKED_REFS_PATIENCE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteLock:
    """The right to move refs; `descriptor` is to be inherited by git children that do."""

    descriptor: int
    git_dir: Path

    def changed_at(self) -> int:
        """When any writer last moved a ref, in nanoseconds; the same as before means that nobody else has."""
        return os.fstat(self.descriptor).st_mtime_ns

    @contextmanager
    def noted(self, refs: Sequence[RefName]) -> Iterator[None]:
        """Keeps the names of the refs that are about to move in the lock file until they have moved or git has said that they did not.

        A git that was killed, by us because it is late or by anybody, may have left its lock files: then the names stay for the next writer.
        """
        with writing():
            os.pwrite(self.descriptor, "\n".join(refs).encode(), 0)
        try:
            yield
        except GitTimeout:
            raise
        except GitError as error:
            if error.exit_code is None or error.exit_code >= 0:
                os.ftruncate(self.descriptor, 0)
            raise
        os.ftruncate(self.descriptor, 0)

    def clear_stale(self) -> None:
        """Removes the ref locks that a writer left behind when it was killed."""
        refs = os.pread(self.descriptor, _NOTE_LIMIT, 0).decode(errors="replace").split("\n")
        if refs == [""]:
            return
        for ref in refs:
            (self.git_dir / f"{ref}.lock").unlink(missing_ok=True)
        self._clear_packed_refs_lock(noted_at=os.fstat(self.descriptor).st_mtime)
        os.ftruncate(self.descriptor, 0)

    def _clear_packed_refs_lock(self, *, noted_at: float) -> None:
        """The lock on packed refs may also be the user's: it is stale only if it is younger than the note and nobody lets go of it."""
        path = self.git_dir / "packed-refs.lock"
        until = time.monotonic() + _PACKED_REFS_PATIENCE
        while path.exists() and path.stat().st_mtime >= noted_at:
            if time.monotonic() > until:
                path.unlink(missing_ok=True)
                return
            time.sleep(0.05)


@contextmanager
def write_lock(repository: Repository) -> Iterator[WriteLock]:
    """Waits until this process may move Specthread's refs, and repairs what a killed writer left."""
    descriptor = _open_lock_file(repository.git_dir, "write.lock")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        lock = WriteLock(descriptor=descriptor, git_dir=repository.git_dir)
        lock.clear_stale()
        yield lock
    finally:
        os.close(descriptor)


class RepositoryLock:
    """The right to serve a repository, held by at most one daemon; it ends with the process, however that ends."""

    def __init__(self, repository: Repository, owner: str) -> None:
        self._git_dir = repository.git_dir
        self._owner = owner
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Takes the lock and notes the owner in it; raises RepositoryBusy with the owner's text when it is taken."""
        descriptor = _open_lock_file(self._git_dir, "daemon.lock")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, _OWNER_LIMIT, 0).decode(errors="replace")
            os.close(descriptor)
            raise RepositoryBusy(owner or "it has not given its name yet") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, self._owner.encode()[:_OWNER_LIMIT], 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Gives the lock back; does nothing when it is not held."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


@writing()
def _open_lock_file(git_dir: Path, name: str) -> int:
    folder = git_dir / "specthread"
    folder.mkdir(mode=0o700, exist_ok=True)
    return os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
