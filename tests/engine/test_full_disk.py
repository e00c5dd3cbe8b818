import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from specthread.agents.sandbox import probe
from support.git_fixture import isolate_git, make_repository


@pytest.mark.skipif(not probe().available, reason=probe().reason)
def test_a_full_disk_makes_the_engine_read_only_and_freeing_it_lets_the_story_end(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    make_repository(tmp_path / "checkout", {"README.md": "One.\n"})
    tests = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "support.full_disk_story", str(tmp_path)],
        cwd=tests,
        env={**os.environ, "PYTHONPATH": str(tests)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["codes"] == ["store-unavailable"] * 3
    assert seen["unchanged"]
    assert seen["trouble"]
    assert (seen["later"], seen["end"], seen["trouble_later"]) == ("Accepted", "implementation_review", "")
