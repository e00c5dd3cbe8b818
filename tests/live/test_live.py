"""`make live` spends nothing unasked, and tells what it spent."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from specthread.agents.sandbox import probe
from support.engine_world import REQUIREMENTS, plan, task
from support.fake_messages_api import FakeMessagesApi, Line, use

CHECK = "python3 -c 'from calc import subtract'"
CHANGED = "def add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n    return a - b\n"
SCRIPT = [
    Line(when="# Request", content=(use("write_document", document="requirements", text=REQUIREMENTS),)),
    Line(when="requirements is written", content=(use("write_document", document="tasks", text=plan(task(1, "Add subtract", CHECK))),)),
    Line(when="tasks is written", content=(use("finish", summary="Planned."),)),
    Line(when="# Task 1:", content=(use("ask", question="May it be negative?"),)),
    Line(when="Decide yourself", content=(use("read", path="calc.py"),), usage={"input_tokens": 5_000}),
    Line(when="return a + b", content=(use("write", path="calc.py", text=CHANGED),)),
    Line(when="Wrote `calc.py`", content=(use("finish", summary="Added subtract."),)),
]
TESTS = Path(__file__).parents[1]


@pytest.fixture
def played(tmp_path):
    def run(**environ):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ANTHROPIC")}
        clean |= {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config"), "PYTHONPATH": str(TESTS), **environ}
        return subprocess.run([sys.executable, "-m", "live"], capture_output=True, text=True, env=clean, cwd=TESTS.parent, check=False)

    return run


def test_without_a_key_it_says_that_it_was_skipped(played):
    said = played()
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.startswith("Skipped: there is no key.")


@pytest.mark.skipif(not probe().available, reason=probe().reason)
async def test_with_a_key_it_plays_one_spectask_and_prints_what_it_cost(played):
    async with FakeMessagesApi(SCRIPT) as api:
        said = await asyncio.to_thread(played, ANTHROPIC_API_KEY="sk-fake", ANTHROPIC_BASE_URL=api.url)
    assert said.returncode == 0, said
    assert "plan-1  completed, 3 calls" in said.stdout
    assert "ws-1  completed, 4 calls" in said.stdout
    assert re.search(r"implementation review: \$0\.\d+ for 7 calls, \d+ tokens in", said.stdout)
