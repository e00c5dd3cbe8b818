"""The only file that starts git.

Rules of this file: an absolute program and an argument list, never a shell; the repository is always named by `--git-dir`, never found by
searching; nothing that a repository's config, hooks or attributes name is ever run; no network but for `specgit.push`; every call has an end. The theory is
that a clone cannot bring a config file, but whoever can write a worktree may reach the shared one, and the daemon must not run what it
finds there.
Each switch below closes one door that was seen open; commands that still run configured programs with all of them (`status`, `merge-tree`)
go through `specgit.view`, which shows git a config of our own.
"""

import functools
import os
import re
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from specgit.errors import GitError, GitMissing, GitTimeout, GitTooOld, OutputTooLarge, error_from_git

DAEMON_NAME = "Specthread"
DAEMON_EMAIL = "specthread@localhost"

_OLDEST = (2, 38)
_CHUNK = 1 << 16
_STDERR_LIMIT = 1 << 16
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.pager=cat",
    "core.fsync=committed",  # git's own default syncs neither loose objects nor refs
    "core.filesRefLockTimeout=2000",
    "core.packedRefsTimeout=2000",
    "core.sparseCheckout=false",
    "commit.gpgsign=false",
    "tag.gpgsign=false",
    "log.showSignature=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.allow=never",
    "submodule.recurse=false",
    "safe.bareRepository=explicit",
    "diff.external=",
    "credential.helper=",
    "merge.conflictStyle=merge",
    "fastimport.unpackLimit=100",
)
_LOCAL_ONLY = {"protocol.allow=never", "credential.helper="}
_INHERITED = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "GIT_CEILING_DIRECTORIES",
    "SYSTEMROOT",
    "USERPROFILE",
    "APPDATA",
    "TEMP",
    "TMP",
)
_FIXED_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "SSH_ASKPASS": "/bin/false",
    "GIT_SSH_COMMAND": "/bin/false",
    "GIT_ALLOW_PROTOCOL": "none",  # no protocol has this name: a partial clone must not fetch in the middle of a local operation
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_COMMITTER_NAME": DAEMON_NAME,
    "GIT_COMMITTER_EMAIL": DAEMON_EMAIL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """What a git process left behind; `cut` when only the first bytes of its output were taken."""

    stdout: bytes
    stderr: str
    exit_code: int
    cut: bool = False

    @property
    def text(self) -> str:
        """The output as text without the last newline; undecodable bytes survive as surrogates."""
        return os.fsdecode(self.stdout).rstrip("\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitRunner:
    """Starts git on one git folder, hardened; has no state, so threads may share it."""

    git_dir: Path
    program: str
    env: Mapping[str, str] = field(default_factory=dict)
    output_limit: int = 1 << 30
    settings: Sequence[str] = _SETTINGS

    def at(self, git_dir: Path, *, env: Mapping[str, str] | None = None) -> "GitRunner":
        """Returns the same runner for another git folder, with `env` added to every call."""
        return replace(self, git_dir=git_dir, env={**self.env, **(env or {})})

    def reaching(self, *, env: Mapping[str, str]) -> "GitRunner":
        """Returns the same runner for the network, where `env` allows a protocol: to be called on a sterile view, whose config is nobody else's."""
        # What was agreed to is the address itself, and not where it leads.
        settings = [*(setting for setting in self.settings if setting not in _LOCAL_ONLY), "http.followRedirects=false"]
        return replace(self, settings=settings, env={**self.env, **env})

    def run(
        self,
        args: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float = 60.0,
        env: Mapping[str, str] | None = None,
        work_tree: Path | None = None,
        check: bool = True,
        pass_fds: Sequence[int] = (),
    ) -> Completed:
        """Runs one git command to its end.

        With `check`, a non-zero exit raises the GitError that fits. `timeout` is in seconds; then the whole process group is killed.
        """
        command = self._command(args, work_tree)
        request = _Request(
            command=command,
            stdin=stdin,
            timeout=timeout,
            env=_environment({**self.env, **(env or {})}),
            cwd=work_tree,
            limit=self.output_limit,
            pass_fds=pass_fds,
        )
        done = _run(request)
        if done.cut:
            sentence = f"`git {args[0]}` printed more than {self.output_limit} bytes and was stopped. Narrow the request."
            raise OutputTooLarge(sentence, command=command)
        if check and done.exit_code != 0:
            raise error_from_git(command, done.exit_code, done.stderr)
        return done

    def run_head(self, args: Sequence[str], *, limit_bytes: int, timeout: float = 60.0) -> Completed:
        """Runs one git command until it ends or has printed `limit_bytes`, which is all that is kept."""
        command = self._command(args, None)
        done = _run(_Request(command=command, timeout=timeout, env=_environment(self.env), limit=limit_bytes))
        if done.exit_code != 0 and not done.cut:
            raise error_from_git(command, done.exit_code, done.stderr)
        return done

    def _command(self, args: Sequence[str], work_tree: Path | None) -> list[str]:
        place = [f"--git-dir={self.git_dir}", *([f"--work-tree={work_tree}"] if work_tree else [])]
        return [self.program, *_flags(self.settings), *place, *args]


def _flags(settings: Sequence[str]) -> list[str]:
    return ["--no-pager", "--no-replace-objects", *(word for setting in settings for word in ("-c", setting))]


def find_git() -> str:
    """Returns the absolute path of a git program that is new enough; raises GitMissing or GitTooOld."""
    program = shutil.which("git")
    if program is None:
        raise GitMissing("There is no git program on PATH. Install git 2.38 or newer and try again.")
    path = os.path.realpath(program)
    version = _version_of(path)
    if version < _OLDEST:
        found = ".".join(map(str, version))
        raise GitTooOld(
            f"The git program {path} is version {found}, and Specthread needs 2.38 or newer. Install a newer git and try again."
        )
    return path


def discover(program: str, path: Path, args: Sequence[str]) -> str:
    """Runs `rev-parse` with git's own search from `path`, the one call that lets git check who owns the repository."""
    # A bare repository may be opened: what makes an unexpected one dangerous is its config, and none of that is run here.
    command = [program, *_flags(_SETTINGS), "-c", "safe.bareRepository=all", "-C", str(path), "rev-parse", *args]
    done = _run(_Request(command=command, env=_environment({})))
    if done.exit_code != 0:
        raise error_from_git(command, done.exit_code, done.stderr)
    return done.text


@functools.cache
def _version_of(program: str) -> tuple[int, ...]:
    done = _run(_Request(command=[program, "--version"], env=_environment({})))
    found = re.search(r"git version (\d+)\.(\d+)(?:\.(\d+))?", done.text)
    if found is None:
        raise GitMissing(f"{program} does not answer like git. Put git 2.38 or newer first on PATH.")
    return tuple(int(number) for number in found.groups() if number)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    command: Sequence[str]
    env: Mapping[str, str]
    stdin: bytes = b""
    timeout: float = 30.0
    cwd: Path | None = None
    limit: int = 1 << 20
    pass_fds: Sequence[int] = ()


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {**inherited, **_FIXED_ENVIRONMENT, **extra}


def _run(request: _Request) -> Completed:
    try:
        process = subprocess.Popen(
            request.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=request.env,
            cwd=request.cwd,
            process_group=0,
            pass_fds=request.pass_fds,
        )
    except (FileNotFoundError, NotADirectoryError) as error:
        sentence = f"{error.filename} is gone, so git could not be started. Check that the folder still exists."
        raise GitError(sentence, command=request.command) from error
    try:
        stdout, stderr, cut = _talk(process, request.stdin, time.monotonic() + request.timeout, request.limit)
    except (TimeoutError, subprocess.TimeoutExpired):
        sentence = (
            f"git did not end within {request.timeout:g} seconds and was stopped. Check that the disk answers, then repeat the command."
        )
        raise GitTimeout(sentence, command=request.command) from None
    finally:
        _end(process)
    return Completed(stdout=stdout, stderr=stderr.decode(errors="replace"), exit_code=process.returncode, cut=cut)


def _talk(process: subprocess.Popen[bytes], stdin: bytes, deadline: float, limit: int) -> tuple[bytes, bytes, bool]:
    """Feeds the process and collects both outputs until they close or `limit` is passed; raises TimeoutError at the deadline."""
    outputs: dict[IO[bytes], bytearray] = {_pipe(process.stdout): bytearray(), _pipe(process.stderr): bytearray()}
    limits = {_pipe(process.stdout): limit, _pipe(process.stderr): _STDERR_LIMIT}
    unsent = memoryview(stdin)
    feed = _pipe(process.stdin)
    with selectors.DefaultSelector() as selector:
        for pipe in outputs:
            selector.register(pipe, selectors.EVENT_READ)
        os.set_blocking(feed.fileno(), False)
        selector.register(feed, selectors.EVENT_WRITE)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            ready = selector.select(left)
            for key, _ in ready:
                if key.fileobj is feed:
                    unsent = _write_some(feed, unsent)
                    if not unsent:
                        selector.unregister(feed)
                        feed.close()
                    continue
                pipe = next(pipe for pipe in outputs if pipe is key.fileobj)
                part = os.read(pipe.fileno(), _CHUNK)
                outputs[pipe] += part[: limits[pipe] - len(outputs[pipe]) + 1]
                if not part:
                    selector.unregister(pipe)
                elif pipe is process.stdout and len(outputs[pipe]) > limit:
                    return bytes(outputs[pipe][:limit]), b"", True
    process.wait(max(0.1, deadline - time.monotonic()))
    stdout, stderr = outputs.values()
    return bytes(stdout), bytes(stderr), False


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise AssertionError("the process was started with pipes")
    return pipe


def _write_some(pipe: IO[bytes], unsent: memoryview) -> memoryview:
    """Writes what the pipe takes and returns the rest; a reader that has gone gets no more."""
    try:
        return unsent[os.write(pipe.fileno(), unsent[:_CHUNK]) :] if unsent else unsent
    except BrokenPipeError:
        return unsent[:0]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leaves nothing behind: no process of the group, no open pipe."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None and not pipe.closed:
            pipe.close()
