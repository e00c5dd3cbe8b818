"""Where agents' commands and checks run: inside bubblewrap, with the tree at the path of the user's checkout.

Why at that path: a checkout's venv with an editable install imports the code from where the checkout lies. Anywhere else, the check would test the user's code and be green.
Dependency folders of the checkout are bound read-only where they are ignored, hold no tracked file and lie inside the checkout. Git inside is a private throw-away git dir; nobody
reads it back.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from specgit.trees import write_index
from specgit.types import Oid as GitOid
from specthread.agents import sandbox
from specthread.agents.process import CommandResult
from specthread.agents.sandbox import Mount, SandboxProfile, interpreter_mounts
from specthread.engine.ports import Ports, in_thread
from specthread.engine.repositories import OpenRepository

DEPENDENCY_FOLDERS = (".venv", "venv", "node_modules")
PRIVATE_GIT = "/run/git"
PRIVATE_OBJECTS = "/run/git-objects"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A tree with everything its commands may see; `shown` is the path the tree appears at."""

    folder: Path
    shown: str
    profile: SandboxProfile | None
    """None only in the demo on a machine without bubblewrap."""

    async def run(self, command: str, timeout: float) -> CommandResult:  # noqa: ASYNC109  the sandbox kills what is late
        """Runs a bash command line in the tree; nothing it starts outlives it."""
        if self.profile is None:
            return await sandbox.run_unsandboxed(command, cwd=self.folder, environment={"PATH": os.environ["PATH"]}, timeout=timeout)
        return await sandbox.run(command, self.profile, timeout=timeout)


async def environment_for(ports: Ports, opened: OpenRepository, folder: Path, *, head: str, tree: str, private: Path) -> Environment:
    """Returns the environment of the files in `folder`, which are those of `tree`; git inside stands on commit `head` and lives in the folder `private`."""
    shown = str(opened.repository.checkout or opened.repository.git_dir.with_suffix(".work"))
    if ports.settings.unsandboxed_demo:
        return Environment(folder=folder, shown=str(folder), profile=None)
    profile = await in_thread(_profile, ports, opened, folder, shown, head, tree, private)
    return Environment(folder=folder, shown=shown, profile=profile)


def _profile(ports: Ports, opened: OpenRepository, folder: Path, shown: str, head: str, tree: str, private: Path) -> SandboxProfile:
    make_private_git(opened, private, head, tree)
    shared = shared_folders(opened, ports.repository_settings(opened).share)
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    links = [link for name in shared for link in (opened.repository.checkout or folder).joinpath(name, "bin").glob("python*")]
    mounts = (
        Mount(source=folder, target=shown, writable=True),
        Mount(source=private / "gitfile", target=f"{shown}/.git", writable=False),
        Mount(source=private / "git", target=PRIVATE_GIT, writable=True),
        Mount(source=opened.repository.git_dir / "objects", target=PRIVATE_OBJECTS, writable=False),
        *(Mount(source=Path(shown) / name, target=f"{shown}/{name}", writable=False) for name in shared),
        *interpreter_mounts(path, links),
    )
    return SandboxProfile(mounts=mounts, cwd=shown, environment=_variables(shown, shared, path))


def _variables(shown: str, shared: tuple[str, ...], path: list[str]) -> Mapping[str, str]:
    venv = next((name for name in shared if name in {".venv", "venv"}), None)
    if venv is None:
        return {"PATH": os.pathsep.join(path)}
    return {"PATH": os.pathsep.join([f"{shown}/{venv}/bin", *path]), "VIRTUAL_ENV": f"{shown}/{venv}"}


def shared_folders(opened: OpenRepository, configured: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the dependency folders of the checkout that may be shown: real folders inside it, ignored, with no tracked file."""
    checkout = opened.repository.checkout
    if checkout is None:
        return ()
    names = [name for name in dict.fromkeys((*DEPENDENCY_FOLDERS, *configured)) if _is_inside(checkout, name)]
    return tuple(name for name in names if name in opened.repository.ignored(names))


def _is_inside(checkout: Path, name: str) -> bool:
    folder = checkout / name
    return folder.is_dir() and folder.resolve().is_relative_to(checkout.resolve()) and folder.resolve() != checkout.resolve()


def make_private_git(opened: OpenRepository, private: Path, head: str, tree: str) -> None:
    """Makes the throw-away git dir that commands inside the sandbox see: HEAD, index and tags of the start, no configuration of the user's, objects by reference."""
    if (private / "gitfile").exists():
        return
    shutil.rmtree(private, ignore_errors=True)
    git = private / "git"
    (git / "objects" / "info").mkdir(parents=True)
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "objects" / "info" / "alternates").write_text(f"{PRIVATE_OBJECTS}\n")
    (git / "config").write_text(_private_config(opened.repository.object_format))
    (git / "HEAD").write_text("ref: refs/heads/work\n")
    (git / "refs" / "heads" / "work").write_text(f"{head}\n")
    write_index(opened.repository, GitOid(tree), git / "index")
    (private / "gitfile").write_text(f"gitdir: {PRIVATE_GIT}\n")


def _private_config(object_format: str) -> str:
    extension = "[extensions]\n\tobjectformat = sha256\n" if object_format == "sha256" else ""
    version = 1 if extension else 0
    person = "[user]\n\tname = agent\n\temail = agent@localhost\n[safe]\n\tdirectory = *\n"
    return f"[core]\n\trepositoryformatversion = {version}\n\tbare = false\n{extension}{person}"
