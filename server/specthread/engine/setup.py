"""What a repository declares to be done before an agent works and after it has ended: the one step with network, which the person allowed by its words.

It sees no secret: the files that were copied in from the checkout are empty meanwhile. Unasked it runs only on files that no agent has changed, since it would
carry out what they say (a `postinstall` of package.json) where the network is; else the person is asked. Where a lock file differs from the checkout's, the
session gets copies of the dependency folders that belong to it, which this step alone may change.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from specgit.folder import delete_tree
from specgit.types import Oid as GitOid
from specthread.agents.backend import Permission
from specthread.agents.permissions import Request
from specthread.agents.sandbox import Mount
from specthread.domain.ids import RunId, SpecTaskId
from specthread.domain.model import SpecTask
from specthread.domain.react import RunSession
from specthread.domain.run import WorkSession
from specthread.engine.environment import Environment, environment_for, own_mounts, shared_folders
from specthread.engine.permitting import ASKED_BARE, FORBIDDEN
from specthread.engine.ports import Ports, in_thread, to_its_end
from specthread.engine.repositories import OpenRepository
from specthread.engine.session_work import protected_folders
from specthread.engine.workplace import give_back_workplace, is_unworked, own_of, private_git_of, worktree_of

_PYTHON = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml", "requirements*.txt")
LOCKS = {
    "node_modules": ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb"),
    ".venv": _PYTHON,
    "venv": _PYTHON,
}
"""Which files say what a dependency folder holds."""
OUTPUT_TOLD = 2_000
ASKED_WITH_NETWORK = "With network, on files that agents have changed, may the setup step run: "

Permit = Callable[..., Awaitable[Permission]]

_logger = structlog.get_logger(__name__)


def copy_dependencies(checkout: Path | None, worktree: Path, names: Sequence[str], own: Path) -> None:
    """Copies into `own` the dependency folders whose lock file in the worktree is not that of the checkout; what was copied before is kept."""
    for name in names:
        if checkout is None or name not in LOCKS or (own / name).exists() or _locked(checkout, name) == _locked(worktree, name):
            continue
        own.mkdir(parents=True, exist_ok=True)
        part = own / f"{name}.part"
        delete_tree(part)
        # A copy by reference costs nothing where the file system knows it; where there is no such `cp`, each byte is copied.
        program = ["cp", "-a", "--reflink=auto", "--", str(checkout / name), str(part)]
        if subprocess.run(program, check=False, capture_output=True).returncode:
            delete_tree(part)
            shutil.copytree(checkout / name, part, symlinks=True)
        part.rename(own / name)


def _locked(folder: Path, name: str) -> dict[str, str]:
    files = (file for pattern in LOCKS[name] for file in folder.glob(pattern) if file.is_file() and not file.is_symlink())
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The setup of one session's attempt."""

    ports: Ports
    opened: OpenRepository
    spectask: SpecTask
    session: WorkSession
    environment: Environment
    permit: Permit

    async def begin(self) -> str:
        """Does what is declared, once in an attempt; returns why it could not be done, as a sentence, or nothing."""
        settings = self.ports.repository_settings(self.opened)
        command = settings.setup
        done = _done(self.opened, self.spectask, self.session)
        if not command or (done.exists() and done.read_text(encoding="utf-8") == command):
            return ""
        permission = await self._permitted(command)
        if not permission:
            return f"The setup step was not run: {permission.said}"
        result = await (await self._with_network()).run(command, settings.setup_timeout)
        if result.exit_code != 0:
            how = f"exit {result.exit_code}" if result.exit_code is not None else result.outcome
            return f"The setup step `{command}` failed ({how}): {_told(self.ports, result.output)}"
        done.parent.mkdir(parents=True, exist_ok=True)
        done.write_text(command, encoding="utf-8")
        return ""

    async def _permitted(self, command: str) -> Permission:
        bare = self.environment.profile is None
        what = f"{ASKED_BARE if bare else ASKED_WITH_NETWORK}{command}"
        request = Request(tool="shell", what=what, command=command, network=True, sandboxed=not bare)
        if not bare and await in_thread(self._is_untouched):
            denied = self.ports.settings.permissions.verdict(request) == "deny"
            return Permission(given=not denied, said=FORBIDDEN if denied else "")
        return await self.permit("shell", what, call="setup", command=command, network=True, sandboxed=not bare)

    def _is_untouched(self) -> bool:
        """Tells whether the files are those that the SpecTask began from, but for the documents."""
        changed = self.opened.repository.changed_paths(GitOid(self.spectask.base), GitOid(self.session.start))
        ours = protected_folders(self.spectask)
        return is_unworked(self.session) and all(any(path == each or path.startswith(f"{each}/") for each in ours) for path in changed)

    async def _with_network(self) -> Environment:
        profile = self.environment.profile
        if profile is None:
            return self.environment
        emptied = await in_thread(without_copies, self.opened, self.environment, private_git_of(self.opened, self.spectask, self.session))
        installed = await in_thread(own_mounts, own_of(self.opened, self.spectask, self.session), self.environment.shown, writable=True)
        return replace(self.environment, profile=replace(profile, network=True, mounts=(*profile.mounts, *emptied, *installed)))


def without_copies(opened: OpenRepository, environment: Environment, private: Path) -> tuple[Mount, ...]:
    """Returns what makes the files empty that were copied into a worktree from the checkout, for what reaches the network; `private` is a folder of the session."""
    if environment.profile is None:
        return ()
    nothing = private / "nothing"
    nothing.touch()
    copied = opened.worktrees.include(environment.folder, ())
    return tuple(Mount(source=nothing, target=f"{environment.shown}/{name}", writable=False) for name in copied)


async def place_for(ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession, *, port: int = 0) -> Environment:
    """Returns what a session's own commands see: its worktree, with dependency folders of its own where those of the checkout do not fit."""
    worktree, own = worktree_of(opened, session, spectask), own_of(opened, spectask, session)
    names = await in_thread(shared_folders, opened, ports.repository_settings(opened).share)
    await in_thread(copy_dependencies, opened.repository.checkout, worktree, names, own)
    private = private_git_of(opened, spectask, session)
    return await environment_for(ports, opened, worktree, head=session.start, tree=session.start, private=private, own=own, port=port)


async def clean_up(ports: Ports, opened: OpenRepository, spectask: SpecTaskId, run: RunId) -> None:
    """Does what is declared for the end of a session that has ended and was set up; what goes wrong is only logged, since the work is done."""
    known = ports.spectask(spectask)
    session, settings = known.sessions[run], ports.repository_settings(opened)
    done = _done(opened, known, session)
    if not settings.cleanup or session.ended is None or not done.exists():
        return
    done.unlink()
    await to_its_end(_clean_up(ports, opened, known, session))


async def _clean_up(ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession) -> None:
    settings = ports.repository_settings(opened)
    environment = await place_for(ports, opened, spectask, session)
    if environment.profile is None:
        return  # nobody is asked any more
    result = await environment.run(settings.cleanup, settings.setup_timeout)
    if result.exit_code != 0:
        _logger.warning("cleanup failed", command=settings.cleanup, outcome=result.outcome, output=_told(ports, result.output))


async def give_back_place(ports: Ports, effect: RunSession) -> tuple[str, ...]:
    """Cleans up after a session that was stopped for good, and removes its place where nobody has worked in it; returns what is left, as sentences."""
    opened = await ports.repository(effect.spectask)
    await clean_up(ports, opened, effect.spectask, effect.run)
    # What a setup step left there is nobody's to delete unasked.
    return () if ports.repository_settings(opened).setup else await give_back_workplace(ports, effect)


def _done(opened: OpenRepository, spectask: SpecTask, session: WorkSession) -> Path:
    """Returns the file that holds what was done to set an attempt up."""
    return private_git_of(opened, spectask, session) / "set-up"


def _told(ports: Ports, output: str) -> str:
    return ports.redacted(output).strip()[-OUTPUT_TOLD:]
