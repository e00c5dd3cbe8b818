"""A throw-away git folder that shows a repository's objects, but none of its config, hooks and attributes.

`status` runs the filters and `merge-tree` the merge drivers that a repository's config names, whatever switches are set. Here they find a
config of our own; an empty folder on the outside, so that nobody who can write the repository can write it too.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from specgit.errors import writing
from specgit.git import GitRunner
from specgit.types import Oid


@contextmanager
def sterile_view(
    runner: GitRunner, *, object_format: str, refs: Mapping[str, Oid], env: Mapping[str, str], bare: bool
) -> Iterator[GitRunner]:
    """Yields a runner on a private git folder with the objects of `runner`'s; `refs` may name `HEAD` and branches below `refs/heads/`."""
    with tempfile.TemporaryDirectory(prefix="specthread-view-") as name:
        folder = Path(name)
        with writing():
            _fill(folder, runner, object_format, bare=bare)
            for ref, oid in refs.items():
                (folder / ref).write_text(f"{oid}\n")
        yield runner.at(folder, env={"GIT_OBJECT_DIRECTORY": str(runner.git_dir / "objects"), **env})


def private_view(runner: GitRunner, folder: Path, *, object_format: str) -> GitRunner:
    """Makes a bare git folder of our own at `folder`, which is empty, and returns its runner: it sees all objects, and what it writes stays there."""
    with writing():
        _fill(folder, runner, object_format, bare=True)
        (folder / "objects/info").mkdir()
        (folder / "objects/info/alternates").write_bytes(os.fsencode(runner.git_dir / "objects") + b"\n")
    return runner.at(folder)


def _fill(folder: Path, runner: GitRunner, object_format: str, *, bare: bool) -> None:
    (folder / "refs/heads").mkdir(parents=True)
    (folder / "objects").mkdir()
    extensions = "[extensions]\n\tobjectFormat = sha256\n" if object_format == "sha256" else ""
    version = 1 if extensions else 0
    (folder / "config").write_text(f"[core]\n\trepositoryformatversion = {version}\n\tbare = {str(bare).lower()}\n{extensions}")
    (folder / "HEAD").write_text("ref: refs/heads/none\n")
    if (runner.git_dir / "shallow").exists():
        shutil.copyfile(runner.git_dir / "shallow", folder / "shallow")
