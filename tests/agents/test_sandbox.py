import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from specthread.agents.sandbox import (
    CommandLimits,
    CommandResult,
    Mount,
    SandboxProfile,
    interpreter_mounts,
    probe,
    run,
    run_unsandboxed,
)


def bubblewrap_works() -> bool:
    """Asks bubblewrap itself, with few words: a profile of ours that is broken must fail tests, not skip them."""
    plainly = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"]
    return shutil.which("bwrap") is not None and subprocess.run(plainly, check=False, capture_output=True).returncode == 0


bubblewrap = pytest.mark.skipif(not bubblewrap_works(), reason="bubblewrap is missing here, or may not make namespaces")
SHOWN = "/home/ada/project"


@pytest.fixture
def worktree(tmp_path):
    worktree = tmp_path / "worktree"
    worktree.mkdir()
    (worktree / "file").write_text("hello\n")
    return worktree


def profile(worktree: Path, *mounts: Mount, **changes) -> SandboxProfile:
    own = Mount(source=worktree, target=SHOWN, writable=True)
    return SandboxProfile(**({"mounts": (*mounts, own), "cwd": SHOWN, "environment": {"HOME": "/home/ada", "COLOUR": "red"}} | changes))


async def inside(command: str, sandbox: SandboxProfile, timeout: float = 20.0, **options) -> CommandResult:  # noqa: ASYNC109  passed on
    return await run(command, sandbox, timeout=timeout, **options)


@bubblewrap
async def test_a_command_works_on_the_worktree_at_the_path_of_the_checkout(worktree):
    result = await inside("pwd && cat file && echo new > made", profile(worktree))
    assert (result.outcome, result.exit_code, result.output) == ("exited", 0, f"{SHOWN}\nhello\n")
    assert (worktree / "made").read_text() == "new\n"


@bubblewrap
async def test_there_is_no_network_not_even_to_this_machine(worktree):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"/dev/tcp/127.0.0.1/{server.getsockname()[1]}"
        assert (await inside(f"echo > {address}", profile(worktree))).exit_code == 1
        assert (await inside(f"echo > {address}", profile(worktree, network=True))).exit_code == 0


@bubblewrap
async def test_the_environment_is_only_what_the_profile_says(worktree, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret")
    result = await inside("env | cut -d= -f1 | sort | tr '\\n' ' '; echo $COLOUR $HOME", profile(worktree, owner=worktree.parent))
    assert result.output == "COLOUR HOME LANG PATH PWD SHLVL _ red /home/ada\n"


@bubblewrap
async def test_home_and_tmp_are_empty_and_gone_afterwards(worktree):
    mark = f"specthread-{os.getpid()}"
    assert (await inside("ls -A /tmp ~ | grep -v project", profile(worktree))).output.split() == ["/home/ada:", "/tmp:", "home"]
    assert (await inside(f"touch /tmp/{mark} ~/{mark}", profile(worktree))).exit_code == 0
    assert not list(Path("/tmp").glob(mark))  # noqa: ASYNC240  a look at one folder


@bubblewrap
@pytest.mark.parametrize("path", ["/x", "/usr/x", "/etc/x", "/home/x", "/etc/passwd", "/var/x", "/dev/sda", "/proc/sys/kernel/hostname"])
async def test_nothing_outside_can_be_written(worktree, path):
    assert (await inside(f"echo owned > {path}", profile(worktree))).exit_code == 1


@bubblewrap
async def test_a_read_only_mount_over_the_worktree_stays_read_only(worktree, tmp_path):
    pointer = tmp_path / "pointer"
    pointer.write_text("gitdir: /run/git\n")
    (worktree / ".git").write_text("gitdir: /secret\n")
    git = Mount(source=pointer, target=f"{SHOWN}/.git", writable=False)
    result = await inside("cat .git; echo x > .git; rm -f .git; mv .git other; cat .git", profile(worktree, git))
    assert result.output.startswith("gitdir: /run/git\n")
    assert result.output.endswith("gitdir: /run/git\n")
    assert pointer.read_text() == "gitdir: /run/git\n"


@bubblewrap
async def test_hidden_folders_are_empty(worktree):
    (worktree / "private").mkdir()
    (worktree / "private/key").write_text("secret")
    result = await inside("ls -A private; echo end", profile(worktree, hidden=(f"{SHOWN}/private",)))
    assert result.output == "end\n"


@bubblewrap
async def test_there_is_no_privilege_and_no_foreign_process_to_see(worktree):
    result = await inside(
        "id -u; whoami; grep CapEff /proc/self/status; ls -d /proc/[0-9]* | wc -l; mount -t tmpfs x /mnt", profile(worktree)
    )
    uid, name, capabilities, processes, *_ = result.output.splitlines()
    assert (uid, name, capabilities.split()[1].strip("0")) == ("1000", "agent", "")
    assert int(processes) < 8
    assert result.exit_code != 0


@bubblewrap
async def test_input_is_closed_and_both_outputs_are_one(worktree):
    result = await inside("cat; echo out; echo err >&2", profile(worktree))
    assert result.output == "out\nerr\n"


@bubblewrap
@pytest.mark.parametrize(
    ("command", "outcome", "code"),
    [
        ("exit 3", "exited", 3),
        ("exit 255", "exited", 255),
        ("no-such-program", "exited", 127),
        ("kill -SEGV $$", "signal", 139),
        ("bash -c 'kill -9 $$'; exit $?", "signal", 137),
    ],
)
async def test_how_a_command_ended_is_told_apart(worktree, command, outcome, code):
    result = await inside(command, profile(worktree))
    assert (result.outcome, result.exit_code) == (outcome, code)


@bubblewrap
@pytest.mark.parametrize("changes", [{"cwd": "/nowhere"}, {"mounts": (Mount(source=Path("/nowhere"), target="/x", writable=False),)}])
async def test_a_sandbox_that_cannot_be_made_is_no_result_of_the_command(worktree, changes):
    result = await inside("exit 0", profile(worktree, **changes))
    assert (result.outcome, result.exit_code) == ("sandbox-failed", None)
    assert "nowhere" in result.output


@bubblewrap
@pytest.mark.parametrize("command", ["true\0", "true " + "x" * 200_000])
async def test_a_command_that_cannot_be_passed_on_is_not_run(worktree, command):
    result = await inside(command, profile(worktree))
    assert (result.outcome, result.exit_code) == ("sandbox-failed", None)
    assert "cannot be started" in result.output


async def test_without_bubblewrap_nothing_runs_and_the_probe_says_what_to_install(worktree, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (probe().available, "Install the package `bubblewrap`" in probe().reason) == (False, True)
    result = await inside(f"touch {worktree}/made", profile(worktree))
    assert (result.outcome, (worktree / "made").exists()) == ("sandbox-failed", False)


@bubblewrap
def test_where_bubblewrap_works_the_probe_says_so():
    assert probe().available


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo 'bwrap: No permissions to create a new namespace' >&2; exit 1", r"No permissions.*Allow unprivileged user namespaces"),
        ("exit 0", "works"),
    ],
)
def test_the_probe_says_what_bubblewrap_said_and_what_to_do(tmp_path, monkeypatch, script, says):
    (tmp_path / "bwrap").write_text(f"#!/bin/bash\n{script}\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert re.search(says, probe().reason)
    assert probe().available == (says == "works")


async def test_a_bubblewrap_that_ends_before_the_command_has_run_nothing(worktree, tmp_path, monkeypatch):
    (tmp_path / "bwrap").write_text("#!/bin/bash\nexit 0\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert (await inside("true", profile(worktree))).outcome == "sandbox-failed"


def running(mark: str) -> int:
    return sum(mark in " ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))


TREE = "for i in 1 2 3; do (setsid bash -c 'exec -a {mark} sleep 300' & disown); done; echo started; sleep 300"


@bubblewrap
async def test_a_timeout_ends_the_whole_tree(worktree):
    mark = f"tree-{os.getpid()}-timeout"
    result = await inside(TREE.format(mark=mark), profile(worktree), timeout=1.0)
    assert (result.outcome, result.exit_code, result.output) == ("timeout", None, "started\n")
    assert 1.0 <= result.duration < 10.0
    assert running(mark) == 0


@bubblewrap
async def test_cancelling_ends_the_whole_tree(worktree):
    mark = f"tree-{os.getpid()}-cancel"
    task = asyncio.create_task(inside(TREE.format(mark=mark), profile(worktree)))
    async with asyncio.timeout(20):
        while running(mark) < 3:  # noqa: ASYNC110  another program's progress can only be looked at
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert running(mark) == 0


@bubblewrap
async def test_what_a_command_leaves_in_the_background_ends_with_it(worktree):
    mark = f"tree-{os.getpid()}-background"
    result = await inside(f"setsid bash -c 'exec -a {mark} sleep 300' & echo done", profile(worktree))
    assert (result.outcome, result.output) == ("exited", "done\n")
    assert running(mark) == 0


@bubblewrap
async def test_long_output_keeps_its_beginning_and_its_end(worktree):
    result = await inside("seq 100000", profile(worktree), output_limit=3000)
    assert result.output.startswith("1\n2\n3\n")
    assert result.output.endswith("99999\n100000\n")
    assert "bytes left out" in result.output
    assert len(result.output) < 3100


@bubblewrap
async def test_output_that_is_no_text_is_shown_as_far_as_it_is(worktree):
    assert (await inside("printf 'a\\xffb'", profile(worktree))).output == "a\N{REPLACEMENT CHARACTER}b"


@bubblewrap
async def test_a_file_cannot_grow_without_end(worktree):
    limited = profile(worktree, limits=CommandLimits(file_kib=64))
    assert (await inside("head -c 1M /dev/zero > big", limited)).exit_code != 0
    assert (worktree / "big").stat().st_size == 64 * 1024


@bubblewrap
async def test_a_limit_the_machine_has_set_lower_does_not_keep_a_command_from_running(worktree):
    most = CommandLimits(file_kib=2**50, processes=2**50)
    assert (await inside("ulimit -Hf 64; exec true", profile(worktree))).exit_code == 0
    assert (await inside("echo ran", profile(worktree, limits=most))).output == "ran\n"


@bubblewrap
async def test_an_interpreter_outside_usr_is_visible_through_a_venv(worktree, tmp_path):
    version = tmp_path / "versions/9.9"
    (version / "bin").mkdir(parents=True)
    (version / "lib").mkdir()
    shutil.copy("/usr/bin/env", version / "bin/python9.9")
    (version / "bin/python").symlink_to("python9.9")
    (tmp_path / "current").symlink_to("versions/9.9")
    (worktree / ".venv/bin").mkdir(parents=True)
    (worktree / ".venv/bin/python").symlink_to(tmp_path / "current/bin/python")
    unseen = await inside(".venv/bin/python echo it runs", profile(worktree))
    assert unseen.exit_code == 127
    mounts = interpreter_mounts([], [worktree / ".venv/bin/python"])
    seen = await inside(".venv/bin/python echo it runs", profile(worktree, *mounts))
    assert (seen.exit_code, seen.output) == (0, "it runs\n")


@bubblewrap
async def test_this_very_interpreter_runs_with_its_packages(worktree):
    mounts = (*interpreter_mounts([], [Path(sys.executable)]), Mount(source=Path(sys.prefix), target=sys.prefix, writable=False))
    result = await inside(f"{sys.executable} -c 'import ssl, msgspec; print(ssl.OPENSSL_VERSION)'", profile(worktree, *mounts))
    assert (result.exit_code, "OpenSSL" in result.output) == (0, True)


def shown(path_entries: list[str], links: list[Path], home: Path) -> list[str]:
    return [mount.target.removeprefix(str(home)) for mount in interpreter_mounts(path_entries, links)]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for folder in (
        ".pyenv/shims", ".pyenv/versions/3.12.1/bin", ".pyenv/versions/3.12.1/lib",
        ".nvm/versions/node/v20/bin", ".nvm/versions/node/v20/lib",
        ".local/bin", ".local/lib", ".local/share/uv/python/cpython-3.13/bin", ".local/share/uv/python/cpython-3.13/lib",
        ".cargo/bin", "bin", "lib",
    ):  # fmt: skip
        (tmp_path / folder).mkdir(parents=True)
    for program in (".pyenv/versions/3.12.1/bin/python3", ".local/share/uv/python/cpython-3.13/bin/python3.13"):
        (tmp_path / program).touch()
    (tmp_path / ".local/bin/python3.13").symlink_to(tmp_path / ".local/share/uv/python/cpython-3.13/bin/python3.13")
    return tmp_path


@pytest.mark.parametrize(
    ("entry", "mounts"),
    [
        (".pyenv/shims", ["/.pyenv"]),
        (".pyenv/versions/3.12.1/bin", ["/.pyenv/versions/3.12.1"]),
        (".nvm/versions/node/v20/bin", ["/.nvm/versions/node/v20"]),
        (".local/bin", ["/.local/bin", "/.local/share/uv/python/cpython-3.13"]),
        (".cargo/bin", ["/.cargo/bin"]),
        ("bin", ["/bin"]),
        ("missing", []),
    ],
)
def test_of_a_home_folder_only_installations_are_shown(home, entry, mounts):
    assert shown([str(home / entry)], [], home) == mounts


def test_system_folders_relative_entries_and_repeats_need_no_mount(home):
    node = str(home / ".nvm/versions/node/v20/bin")
    assert shown(["/usr/bin", "/bin", "relative/bin", "", node, node], [], home) == ["/.nvm/versions/node/v20"]
    assert shown([], [Path("/usr/bin/env"), home / "no/such/link"], home) == []


async def test_without_a_sandbox_a_command_ends_as_it_would_inside(worktree):
    async def outside(command: str, timeout: float = 20.0) -> CommandResult:  # noqa: ASYNC109  passed on
        return await run_unsandboxed(command, cwd=worktree, environment={"COLOUR": "red"}, timeout=timeout)

    assert (await outside("pwd; echo $COLOUR $ANTHROPIC_API_KEY")).output == f"{worktree}\nred\n"
    mark = f"tree-{os.getpid()}-outside"
    left = await outside(f"bash -c 'exec -a {mark} sleep 300' & echo done")
    assert (left.outcome, left.exit_code, left.output, running(mark)) == ("exited", 0, "done\n", 0)
    late = await outside("echo before; sleep 300", timeout=0.5)
    assert (late.outcome, late.exit_code, late.output) == ("timeout", None, "before\n")
    assert (await outside("kill -9 $$")).exit_code == 137


@bubblewrap
def test_no_descriptor_is_left_open(worktree):
    async def many() -> tuple[int, int]:
        await inside("true", profile(worktree))
        before = psutil.Process().num_fds()
        for _ in range(5):
            await inside("true", profile(worktree))
        await inside("sleep 300", profile(worktree), timeout=0.1)
        await inside("true", profile(worktree, cwd="/nowhere"))
        return before, psutil.Process().num_fds()

    before, after = asyncio.run(many())
    assert after <= before


def test_the_probe_works_from_a_program_without_an_event_loop():
    program = "from specthread.agents.sandbox import probe; print(probe().available)"
    assert subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.strip() in {"True", "False"}
