"""What a command takes from the machine is bounded, and its agent is told in a sentence what was too much."""

import os
import shutil
import subprocess
import time
from dataclasses import replace

import psutil
import pytest

from specthread.agents.sandbox import CommandLimits, Mount, SandboxProfile, run, run_unsandboxed

PLAINLY = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"]
pytestmark = pytest.mark.skipif(
    shutil.which("bwrap") is None or subprocess.run(PLAINLY, check=False, capture_output=True).returncode != 0,
    reason="bubblewrap is missing here, or may not make namespaces",
)
HUNGRY = 'python3 -c "import time; b = bytearray(400 * 1024 ** 2); time.sleep(30)"'
SHARING = """python3 -c '
import os, time
block = bytearray(150 * 1024 ** 2)
for _ in range(4):
    if not os.fork():
        break
time.sleep(2)
'"""


@pytest.fixture
def profile(tmp_path):
    mount = Mount(source=tmp_path, target="/project", writable=True)
    return SandboxProfile(
        mounts=(mount,), cwd="/project", environment={}, limits=CommandLimits(memory_mb=300, cpu_seconds=1, processes=200)
    )


async def test_what_takes_too_much_memory_is_stopped_with_all_it_started_long_before_its_time(profile):
    result = await run(f"echo began; {HUNGRY} & wait", profile, timeout=25)
    assert (result.outcome, result.exit_code) == ("limit", None)
    assert result.output == "began\n\n[stopped: it took more than 300 MiB of memory, with all it had started]"
    assert result.duration < 20


async def test_memory_that_processes_share_counts_once(profile):
    result = await run(SHARING, profile, timeout=25)
    assert (result.outcome, result.output) == ("exited", "")


async def test_what_uses_too_much_processor_time_is_stopped_and_waiting_uses_none(profile):
    result = await run("while :; do :; done", profile, timeout=25)
    assert (result.outcome, result.output) == ("limit", "\n[stopped: it used more than 1 seconds of processor time]")
    assert (await run("sleep 2", profile, timeout=25)).outcome == "exited"


async def test_without_a_sandbox_the_same_limits_hold(tmp_path, profile):
    result = await run_unsandboxed(HUNGRY, cwd=tmp_path, environment={}, timeout=25, limits=profile.limits)
    assert result.outcome == "limit"


@pytest.mark.skipif(
    os.geteuid() == 0, reason="the kernel holds no limit on processes against root; tests/attack tries it as an ordinary user"
)
async def test_a_fork_bomb_ends_with_its_command_and_leaves_nothing(profile):
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    result = await run("bomb() { bomb | bomb & }; bomb; sleep 20", replace(profile, limits=CommandLimits(processes=100)), timeout=10)
    assert result.output.endswith("[stopped: it started more than 100 processes]") or result.outcome == "timeout"
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before
    assert (await run("echo fine", profile, timeout=20)).output == "fine\n"


async def test_a_gigabyte_of_output_costs_neither_memory_nor_the_end_of_it(profile):
    resident, began = psutil.Process().memory_info().rss, time.monotonic()
    result = await run("yes | head -c 1000000000; echo the end", replace(profile, limits=CommandLimits()), timeout=100)
    assert result.output.endswith("y\nthe end\n")
    assert f"[... {1000000008 - 30000} bytes left out ...]" in result.output
    assert psutil.Process().memory_info().rss - resident < 64 * 1024**2
    assert time.monotonic() - began < 100


async def test_what_starts_too_many_processes_is_stopped_whoever_the_daemon_is(profile):
    crowd = "for each in $(seq 60); do sleep 20 & done; wait"
    result = await run(crowd, replace(profile, limits=CommandLimits(processes=40)), timeout=15)
    if os.geteuid() == 0:
        assert (result.outcome, result.output) == ("limit", "\n[stopped: it started more than 40 processes]")
    assert (await run(crowd.replace("20", "1"), replace(profile, limits=CommandLimits(processes=400)), timeout=15)).outcome == "exited"
