"""Runs commands in bubblewrap: one sandbox per command, made in a hundredth of a second and gone with everything in it.

Inside there is /usr, a little of /etc, an empty /tmp and home folder, and what the profile mounts. There is no network, no environment but
the profile's, no privilege, and no process of anybody else. The root is read-only: a command that writes outside its folders notices.
"""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from specthread.agents.mounts import Mount, interpreter_mounts
from specthread.agents.process import CommandResult, Outcome, run_process
from specthread.agents.watch import TreeLimits

__all__ = [
    "MARK",
    "CommandLimits",
    "CommandResult",
    "Mount",
    "Outcome",
    "SandboxProbe",
    "SandboxProfile",
    "entrance",
    "interpreter_mounts",
    "missing_sandbox",
    "probe",
    "run",
    "run_unsandboxed",
]

OUTPUT_LIMIT = 30_000
MARK = "SPECTHREAD_SANDBOX"
"""The variable in bubblewrap's own environment that names the owner of a sandbox; commands inside are not given it."""
_UID = 1000
_ETC = (
    "alternatives", "ca-certificates", "debian_version", "gai.conf", "host.conf", "hosts", "java-*", "ld.so.cache", "ld.so.conf",
    "ld.so.conf.d", "localtime", "lsb-release", "magic", "mime.types", "nsswitch.conf", "os-release", "pki", "protocols", "services",
    "ssl/certs", "ssl/openssl.cnf", "terminfo", "timezone",
)  # fmt: skip
"""What programs look up in /etc; nothing here is secret on any distribution."""
_DEFAULTS = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp/home", "LANG": "C.UTF-8"}  # noqa: S108  inside the sandbox /tmp is private
_LIMITED = 'ulimit -c 0; ulimit -u "$1" 2>/dev/null; ulimit -f "$2" 2>/dev/null; ulimit -S -t "$3" 2>/dev/null; shift 3; exec bash -c "$1"'
"""Sets what limits it can and runs the command; a limit that cannot be set is one the machine has set lower."""
_OUT_OF_TIME = 128 + signal.SIGXCPU


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLimits:
    """Bounds what a command can take from the machine; `file_kib` is the size of one file, `scratch_bytes` that of /tmp.

    `memory_mb` is for all that it starts together, `cpu_seconds` for each process alone.
    """

    processes: int = 4096
    memory_mb: int = 8192
    cpu_seconds: int = 3600
    file_kib: int = 4 * 1024 * 1024
    scratch_bytes: int = 2 * 1024**3

    @property
    def of_tree(self) -> TreeLimits:
        """What a command may be with all it started."""
        return TreeLimits(memory_mb=self.memory_mb, processes=self.processes)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxProfile:
    """Describes the inside of a sandbox. Deeper targets lie over shallower ones, whatever their order; `hidden` folders are empty.

    `owner` is the state folder of the daemon that starts it, which ends it after a crash (`orphans.py`); None where there is no daemon.
    """

    mounts: tuple[Mount, ...]
    cwd: str
    environment: Mapping[str, str]
    network: bool = False
    hidden: tuple[str, ...] = ()
    limits: CommandLimits = field(default_factory=CommandLimits)
    owner: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxProbe:
    """Says whether sandboxes work here; if not, `reason` says why and what to do."""

    available: bool
    reason: str


def probe() -> SandboxProbe:
    """Tries a sandbox; takes about 20 ms, starts a process and waits for it."""
    program = shutil.which("bwrap")
    if program is None:
        return SandboxProbe(available=False, reason="bubblewrap is not installed. Install the package `bubblewrap` of your distribution.")
    profile = SandboxProfile(mounts=(), cwd="/", environment={})
    try:
        subprocess.run([program, *_arguments(profile), "--", "true"], check=True, capture_output=True, timeout=10, text=True)
    except subprocess.CalledProcessError as error:
        advice = "Allow unprivileged user namespaces for bubblewrap, or run Specthread outside of this container."
        return SandboxProbe(available=False, reason=f"bubblewrap cannot make a sandbox here ({error.stderr.strip()}). {advice}")
    except subprocess.TimeoutExpired:
        reason = "bubblewrap did not answer within 10 seconds. Try `bwrap --unshare-all --ro-bind / / true` by hand."
        return SandboxProbe(available=False, reason=reason)
    return SandboxProbe(available=True, reason="bubblewrap works.")


def missing_sandbox() -> Callable[[], str]:
    """Returns what says why sandboxes cannot be made here, or nothing; one that was made once is taken to work on."""
    works = False

    def reason() -> str:
        nonlocal works
        found = None if works else probe()
        works = works or (found is not None and found.available)
        return "" if works or found is None else found.reason

    return reason


async def run(
    command: str,
    profile: SandboxProfile,
    *,
    timeout: float,  # noqa: ASYNC109  see run_process
    output_limit: int = OUTPUT_LIMIT,
) -> CommandResult:
    """Runs a bash command line in a sandbox of its own; nothing it started outlives it, its timeout or the cancellation of this call."""
    with ExitStack() as files:
        entered, own, inherited = entrance(files, profile)
        status, reported = os.pipe()
        files.callback(os.close, status)
        arguments = [
            *entered,
            *("--json-status-fd", str(reported), "--", *_limited(command, profile.limits, str(profile.limits.processes))),
        ]
        try:
            result = await run_process(
                arguments,
                cwd=Path("/"),
                environment=own,
                timeout=timeout,
                output_limit=output_limit,
                inherited=(*inherited, reported),
                limits=profile.limits.of_tree,
            )
        except (OSError, ValueError) as error:
            said = f"The sandbox cannot be started: {error}."
            result = CommandResult(exit_code=None, output=said, outcome="sandbox-failed", duration=0.0)
        finally:
            os.close(reported)
        if result.outcome in {"exited", "signal"} and not _reached_the_command(status):
            return replace(result, exit_code=None, outcome="sandbox-failed")
        return _told(result, profile.limits)


async def run_unsandboxed(
    command: str,
    *,
    cwd: Path,
    environment: Mapping[str, str],
    timeout: float,  # noqa: ASYNC109  see run_process
    output_limit: int = OUTPUT_LIMIT,
    limits: CommandLimits | None = None,
) -> CommandResult:
    """Runs a bash command line without any sandbox: the demo's own on machines without bubblewrap, or one that a person permitted."""
    bounds = limits or CommandLimits()
    # The number of processes is left alone: outside of a sandbox all of the person's own count, too.
    result = await run_process(
        _limited(command, bounds, "unlimited"),
        cwd=cwd,
        environment={**_DEFAULTS, **environment},
        timeout=timeout,
        output_limit=output_limit,
        limits=bounds.of_tree,
    )
    return _told(result, bounds)


def _limited(command: str, limits: CommandLimits, processes: str) -> list[str]:
    return ["bash", "-c", _LIMITED, "bash", processes, str(limits.file_kib), str(limits.cpu_seconds), command]


def _told(result: CommandResult, limits: CommandLimits) -> CommandResult:
    """Returns a result that says so where a command was stopped because a process of it had used up its time."""
    if result.exit_code != _OUT_OF_TIME:
        return result
    said = f"{result.output}\n[stopped: it used more than {limits.cpu_seconds} seconds of processor time]"
    return replace(result, exit_code=None, outcome="limit", output=said)


def entrance(
    files: ExitStack, profile: SandboxProfile, secrets: Mapping[str, str] | None = None
) -> tuple[list[str], dict[str, str], tuple[int, ...]]:
    """Returns bubblewrap's command line up to the options that a caller adds, its own environment, and the descriptors it reads, which `files` closes.

    `secrets` are variables for the inside that are not on the command line, which every user of the machine can read.
    """
    accounts = [_memory_file(files, text) for text in _accounts(profile)]
    given = _memory_file(files, "".join(f"--setenv\0{name}\0{value}\0" for name, value in (secrets or {}).items()))
    arguments = [
        "bwrap",
        *_arguments(profile),
        *("--ro-bind-data", str(accounts[0]), "/etc/passwd", "--ro-bind-data", str(accounts[1]), "/etc/group"),
        *("--remount-ro", "/", "--chdir", profile.cwd, "--args", str(given)),
    ]
    own = {"PATH": os.environ.get("PATH", os.defpath)} | ({MARK: str(profile.owner)} if profile.owner else {})
    return arguments, own, (*accounts, given)


def _arguments(profile: SandboxProfile) -> Iterator[str]:
    """Yields bubblewrap's arguments up to the mounts; the order matters to it."""
    yield from ("--unshare-all", "--unshare-user", "--uid", str(_UID), "--gid", str(_UID), "--cap-drop", "ALL")
    yield from ("--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv")
    if profile.network:
        yield "--share-net"
    yield from _system(profile)
    environment = {**_DEFAULTS, **profile.environment}
    yield from ("--size", str(profile.limits.scratch_bytes), "--tmpfs", "/tmp")  # noqa: S108  the sandbox's own
    yield from ("--dir", "/var/tmp", "--dir", _DEFAULTS["HOME"])  # noqa: S108  the same
    if environment["HOME"] != _DEFAULTS["HOME"]:
        yield from ("--tmpfs", environment["HOME"])
    shown = [["--bind" if mount.writable else "--ro-bind", str(mount.source), mount.target] for mount in profile.mounts]
    shown += [["--tmpfs", path] for path in profile.hidden]
    for arguments in sorted(shown, key=lambda arguments: len(Path(arguments[-1]).parts)):
        yield from arguments
    for name, value in environment.items():
        yield from ("--setenv", name, value)


def _system(profile: SandboxProfile) -> Iterator[str]:
    yield from ("--ro-bind", "/usr", "/usr", "--dev", "/dev", "--tmpfs", "/dev/shm", "--remount-ro", "/dev", "--proc", "/proc")  # noqa: S108  inside
    # Kernel settings ask who you are outside: under a daemon of root's, the agent without any privilege could still write them.
    for kernel in ("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/mtrr"):
        yield from ("--ro-bind-try", kernel, kernel)
    for path in (Path("/bin"), Path("/sbin"), Path("/lib"), Path("/lib64"), Path("/lib32")):
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.exists():
            yield from ("--ro-bind", str(path), str(path))
    for path in (path for name in _ETC for path in Path("/etc").glob(name)):
        yield from ("--ro-bind", str(path), str(path))
    if profile.network:
        yield from ("--ro-bind-try", str(Path("/etc/resolv.conf").resolve()), "/etc/resolv.conf")


def _accounts(profile: SandboxProfile) -> tuple[str, str]:
    """Returns a passwd and a group file: programs want a name for their user, and the machine's own users are nobody's business."""
    home = profile.environment.get("HOME", _DEFAULTS["HOME"])
    users = f"root:x:0:0::/root:/bin/bash\nagent:x:{_UID}:{_UID}::{home}:/bin/bash\nnobody:x:65534:65534::/:/usr/sbin/nologin\n"
    return users, f"root:x:0:\nagent:x:{_UID}:\nnogroup:x:65534:\n"


def _memory_file(files: ExitStack, text: str) -> int:
    descriptor = os.memfd_create("sandbox")
    files.callback(os.close, descriptor)
    os.write(descriptor, text.encode())
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _reached_the_command(status: int) -> bool:
    """Tells from bubblewrap's report whether the command was started: only then does the report hold its exit code."""
    os.set_blocking(status, False)
    try:
        report = os.read(status, 65_536).decode()
    except BlockingIOError:
        return False
    return any("exit-code" in json.loads(line) for line in report.splitlines() if line.strip())
