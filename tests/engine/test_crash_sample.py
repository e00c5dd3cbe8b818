"""Some of the crashes that `tests/e2e/test_crash.py` plays at every event: after one, and inside the append of one."""

import asyncio

import pytest

from support.demo_end import assert_sound, same
from support.demo_run import play
from support.git_fixture import isolate_git

POINTS = [(22, None), (67, 0.4), (126, None), (149, 0.9)]
"""After how many durable events, and how far into the append of the last of them."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The end of the story when nothing happens to it."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = tmp_path_factory.mktemp("whole")
        isolate_git(monkeypatch, folder / "home")
        return asyncio.run(play(folder))


@pytest.mark.parametrize(("number", "tear"), POINTS)
async def test_a_crash_changes_nothing_in_the_end(tmp_path, monkeypatch, whole, number, tear):
    isolate_git(monkeypatch, tmp_path / "home")
    assert (await play(tmp_path, stop_after=number, tear=tear)).stopped
    end = await play(tmp_path)
    assert same(end, whole), end
    assert_sound(tmp_path, end)
