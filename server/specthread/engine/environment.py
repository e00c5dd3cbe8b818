"""Where agents' commands and checks run: inside bubblewrap, with the tree at the path of the user's checkout.

Why at that path: a checkout's venv with an editable install imports the code from where the checkout lies. Anywhere else, the check would test the user's code and be green.
Dependency folders of the checkout are bound read-only where they are ignored, hold no tracked file and lie inside the checkout; nothing else of it is shown, nor of
its git folder or of the daemon's state, whatever PATH names. Git inside is a private throw-away git dir; nobody
reads it back.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from specgit.folder import delete_tree
from specgit.repository import Repository
from specgit.sparse import Cone
from specgit.trees import write_index
from specgit.types import Oid as GitOid
from specthread.agents import sandbox
from specthread.agents.mounts import apart_from
from specthread.agents.process import CommandResult
from specthread.agents.sandbox import CommandLimits, Mount, SandboxProfile, interpreter_mounts
from specthread.agents.spill import OUTPUT
from specthread.engine.ports import Ports, in_thread
from specthread.engine.repositories import OpenRepository

DEPENDENCY_FOLDERS = (".venv", "venv", "node_modules")
PRIVATE_GIT = "/run/git"
PRIVATE_OBJECTS = "/run/git-objects"
_BRANCH = "refs/heads/work"
_NOT_SHOWN = re.compile(rf"refs/(heads|tags)/spectask/|{_BRANCH}(/|$)")
"""Our own refs, among which `git describe` must not find versions of a spec, and what would stand in the way of the branch inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A tree with everything its commands may see; `shown` is the path the tree appears at."""

    folder: Path
    shown: str
    profile: SandboxProfile | None
    """None on a machine without bubblewrap: in the demo, whose commands are its own, and where a person is asked before each command."""
    variables: Mapping[str, str] = field(default_factory=dict)
    limits: CommandLimits | None = None
    is_held: bool = True
    """Whether commands may run unasked: they are held by a sandbox, or are the demo's own."""

    async def run(self, command: str, timeout: float, output_limit: int = sandbox.OUTPUT_LIMIT) -> CommandResult:  # noqa: ASYNC109  the sandbox kills what is late
        """Runs a bash command line in the tree; nothing it starts outlives it. Of its output at most so many bytes are kept."""
        if self.profile is None:
            return await sandbox.run_unsandboxed(
                command,
                cwd=self.folder,
                environment={"PATH": os.environ["PATH"], **self.variables},
                timeout=timeout,
                output_limit=output_limit,
                limits=self.limits,
            )
        return await sandbox.run(command, self.profile, timeout=timeout, output_limit=output_limit)


async def environment_for(
    ports: Ports,
    opened: OpenRepository,
    folder: Path,
    *,
    head: str,
    tree: str,
    private: Path,
    own: Path | None = None,
    port: int = 0,
) -> Environment:
    """Returns the environment of the files in `folder`, which are those of `tree`; git inside stands on commit `head` and lives in the folder `private`.

    Dependency folders that lie in `own` stand in the place of the checkout's; `port` is the first of ten of its own.
    """
    shown = str(opened.repository.checkout or opened.repository.git_dir.with_suffix(".work"))
    own_port = {"SPECTHREAD_PORT": str(port)} if port else {}
    if await in_thread(ports.settings.lacks_sandbox):
        limits, is_held = ports.settings.command_limits, ports.settings.demo
        return Environment(folder=folder, shown=str(folder), profile=None, variables=own_port, limits=limits, is_held=is_held)
    profile = await in_thread(_profile, ports, opened, folder, shown, head, tree, private)
    mounts = (*profile.mounts, *own_mounts(own, shown))
    variables = {**profile.environment, **own_port}
    return Environment(folder=folder, shown=shown, profile=replace(profile, mounts=mounts, environment=variables))


def own_mounts(own: Path | None, shown: str, *, writable: bool = False) -> tuple[Mount, ...]:
    """Returns how the dependency folders that lie in `own` are seen; whoever may change them changes that by which work is checked."""
    folders = [folder for folder in own.iterdir() if folder.suffix != ".part"] if own is not None and own.is_dir() else []
    return tuple(Mount(source=folder, target=f"{shown}/{folder.name}", writable=writable) for folder in folders)


def _profile(ports: Ports, opened: OpenRepository, folder: Path, shown: str, head: str, tree: str, private: Path) -> SandboxProfile:
    make_private_git(opened, private, head, tree, opened.worktrees.cone(folder))
    output_of(private).mkdir(exist_ok=True)
    shared = shared_folders(opened, ports.repository_settings(opened).share)
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    links = [link for name in shared for link in (opened.repository.checkout or folder).joinpath(name, "bin").glob("python*")]
    guarded = (Path(shown), opened.repository.git_dir, ports.settings.state)
    mounts = (
        *apart_from(interpreter_mounts(path, links), guarded),
        Mount(source=folder, target=shown, writable=True),
        Mount(source=private / "gitfile", target=f"{shown}/.git", writable=False),
        Mount(source=private / "git", target=PRIVATE_GIT, writable=True),
        Mount(source=output_of(private), target=OUTPUT, writable=False),
        Mount(source=opened.repository.git_dir / "objects", target=PRIVATE_OBJECTS, writable=False),
        *(Mount(source=Path(shown) / name, target=f"{shown}/{name}", writable=False) for name in shared),
    )
    return SandboxProfile(
        mounts=mounts,
        cwd=shown,
        environment=_variables(shown, shared, path),
        limits=ports.settings.command_limits,
        owner=ports.settings.state,
    )


def output_of(private: Path) -> Path:
    """Returns the folder for output that is too long for a tool's result; it goes with the private git folder."""
    return private / "output"


def _variables(shown: str, shared: tuple[str, ...], path: list[str]) -> Mapping[str, str]:
    # Compiled files beside the sources would be taken for the agent's work wherever nobody ignores them.
    common = {"PYTHONDONTWRITEBYTECODE": "1"}
    venv = next((name for name in shared if name in {".venv", "venv"}), None)
    if venv is None:
        return {**common, "PATH": os.pathsep.join(path)}
    return {**common, "PATH": os.pathsep.join([f"{shown}/{venv}/bin", *path]), "VIRTUAL_ENV": f"{shown}/{venv}"}


def shared_folders(opened: OpenRepository, configured: tuple[str, ...] | None) -> tuple[str, ...]:
    """Returns the dependency folders of the checkout that may be shown: real folders inside it, ignored, with no tracked file."""
    checkout = opened.repository.checkout
    if checkout is None:
        return ()
    names = [name for name in dict.fromkeys(DEPENDENCY_FOLDERS if configured is None else configured) if _is_inside(checkout, name)]
    return tuple(name for name in names if name in opened.repository.ignored(names))


def _is_inside(checkout: Path, name: str) -> bool:
    folder = checkout / name
    return folder.is_dir() and folder.resolve().is_relative_to(checkout.resolve()) and folder.resolve() != checkout.resolve()


def make_private_git(opened: OpenRepository, private: Path, head: str, tree: str, cone: Cone | None = None) -> None:
    """Makes the throw-away git dir that commands inside the sandbox see.

    HEAD and index are those of the start, branches and tags the user's as they are now; objects are there by reference, nothing of the user's configuration is.
    """
    if (private / "gitfile").exists():
        return
    delete_tree(private)
    git = private / "git"
    (git / "objects" / "info").mkdir(parents=True)
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "objects" / "info" / "alternates").write_text(f"{PRIVATE_OBJECTS}\n")
    (git / "config").write_text(_private_config(opened.repository.object_format))
    (git / "HEAD").write_text(f"ref: {_BRANCH}\n")
    (git / _BRANCH).write_text(f"{head}\n")
    (git / "packed-refs").write_bytes(_packed_refs(opened.repository))
    if (opened.repository.git_dir / "shallow").exists():
        shutil.copyfile(opened.repository.git_dir / "shallow", git / "shallow")
    write_index(opened.repository, GitOid(tree), git / "index", cone)
    (private / "gitfile").write_text(f"gitdir: {PRIVATE_GIT}\n")


def _packed_refs(repository: Repository) -> bytes:
    """Returns the user's branches and tags as git packs them; the line after an annotated tag says what it marks."""
    fields = "--format=%(objectname) %(refname)%00%(*objectname)"
    lines = repository.runner.run(["for-each-ref", fields, "refs/heads", "refs/tags"]).text.split("\n")
    facts = [line.split("\0") for line in lines if line and not _NOT_SHOWN.match(line.split("\0")[0].partition(" ")[2])]
    packed = [f"{ref}\n^{peeled}\n" if peeled else f"{ref}\n" for ref, peeled in facts]
    return os.fsencode("".join(["# pack-refs with: peeled fully-peeled sorted \n", *packed]))


def _private_config(object_format: str) -> str:
    extension = "[extensions]\n\tobjectformat = sha256\n" if object_format == "sha256" else ""
    version = 1 if extension else 0
    person = "[user]\n\tname = agent\n\temail = agent@localhost\n"
    return f"[core]\n\trepositoryformatversion = {version}\n\tbare = false\n{extension}{person}"
