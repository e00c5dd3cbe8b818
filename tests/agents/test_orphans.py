import subprocess

import pytest

from specthread.agents.orphans import end_orphans
from specthread.agents.sandbox import probe


def sandbox(folder):
    command = [
        "bwrap",
        "--unshare-all",
        "--die-with-parent",
        "--ro-bind",
        "/",
        "/",
        "--bind",
        str(folder),
        "/tmp",
        "--",
        "sh",
        "-c",
        "echo up; exec sleep 600",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"up\n"
    return process


@pytest.mark.skipif(not probe().available, reason=probe().reason)
def test_only_sandboxes_that_show_something_of_the_folder_are_ended(tmp_path):
    own, other = tmp_path / "state" / "worktrees", tmp_path / "state-of-another"
    own.mkdir(parents=True)
    other.mkdir()
    ours, theirs = sandbox(own), sandbox(other)
    try:
        assert end_orphans(tmp_path / "state") >= 1
        assert ours.wait(60) != 0
        assert theirs.poll() is None
        while end_orphans(tmp_path / "state"):  # its inner process may still be on its way out
            pass
    finally:
        for process in (ours, theirs):
            process.kill()
            process.communicate()
