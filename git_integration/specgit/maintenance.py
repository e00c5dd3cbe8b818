"""Many small commits leave many small files: packing them, in a repository that belongs to somebody else.

Only loose objects are gathered into one more pack and then removed; that is what git's own task `loose-objects` does. No pack is rewritten, nothing is
pruned, no ref is touched, and none of git's maintenance locks is taken: a killed one would keep the user's own maintenance from ever running again.
"""

import os
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from specgit.errors import GitError, writing
from specgit.repository import Repository

MANY = 2_000
"""Loose objects from which packing them pays."""
MOST = 20_000
"""Objects that are packed at a time, so that it takes seconds."""
LARGEST = 1_000_000
"""Bytes of an object's file above which it is left alone: packing it takes long and saves little."""
_SAMPLE = "17"
_FOLDERS = 256
_FOLDER = re.compile(r"[0-9a-f]{2}")
_NAME = re.compile(r"[0-9a-f]{38}|[0-9a-f]{62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """How many loose objects there were, how many of them are in a pack now, and how long it took, in seconds."""

    loose: int
    packed: int
    seconds: float


def is_worthwhile(repository: Repository, many: int = MANY) -> bool:
    """Tells whether there are about so many loose objects, by looking into one of their folders, as git itself does."""
    folder = repository.git_dir / "objects" / _SAMPLE
    return folder.is_dir() and len(os.listdir(folder)) * _FOLDERS > many  # noqa: PTH208  only their number is wanted


@writing()
def pack_loose(repository: Repository, *, budget: float = 5.0, most: int = MOST) -> Packed:
    """Packs loose objects, at most so many and for about `budget` seconds; what is not packed then stays as it is, and nothing is left behind.

    Safe beside every other git process, the daemon's own writer too: an object is removed only once a synced pack holds it. Raises GitTimeout, DiskFull,
    or the GitError that fits where an object is damaged.
    """
    started = time.monotonic()
    objects = repository.git_dir / "objects"
    loose = _loose(objects)
    chosen = [oid for oid in loose if _is_small(objects, oid)][:most]
    packed = _packed(repository, objects, chosen, budget) if chosen else 0
    if packed:
        repository.runner.run(["prune-packed", "--quiet"], timeout=max(budget, 1.0))
    return Packed(loose=len(loose), packed=packed, seconds=time.monotonic() - started)


def _packed(repository: Repository, objects: Path, chosen: list[str], budget: float) -> int:
    """Packs in a folder of our own, so that whatever ends it leaves nothing in the user's, and moves what is done; the index last, as git does."""
    folder = repository.git_dir / "specthread"
    folder.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pack-", dir=folder) as name:
        scratch = Path(name)
        (scratch / "pack").mkdir()
        env = {"GIT_OBJECT_DIRECTORY": name, "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects)}
        args = ["-c", "pack.threads=1", "pack-objects", "--quiet", str(scratch / "pack" / "pack")]
        try:
            repository.runner.run(args, stdin="".join(f"{oid}\n" for oid in chosen).encode(), timeout=budget, env=env)
        except GitError:
            if all((objects / oid[:2] / oid[2:]).exists() for oid in chosen):
                raise
            return 0  # somebody else packed or pruned meanwhile
        (objects / "pack").mkdir(exist_ok=True)
        for file in sorted((scratch / "pack").iterdir(), key=lambda path: (path.suffix == ".idx", path.suffix != ".pack")):
            file.rename(objects / "pack" / file.name)
    _sync(objects / "pack")
    return len(chosen)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_small(objects: Path, oid: str) -> bool:
    try:
        return (objects / oid[:2] / oid[2:]).stat().st_size <= LARGEST
    except FileNotFoundError:
        return False


def _loose(objects: Path) -> list[str]:
    """The ids of all loose objects, sorted."""
    folders = sorted(path for path in objects.iterdir() if _FOLDER.fullmatch(path.name))
    return [folder.name + name for folder in folders for name in sorted(os.listdir(folder)) if _NAME.fullmatch(name)]  # noqa: PTH208  only names are wanted
