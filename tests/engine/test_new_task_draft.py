"""A draft that asks for a SpecTask is sent when it is saved without its marker line, whatever editor saves it."""

import asyncio

import pytest

from specthread.domain.model import Refusal
from specthread.engine.desk_watch import DeskWatch
from specthread.engine.new_task_draft import NewTaskDrafts

REFUSED = Refusal(code="no-key", message="There is no key.", hint="Set one.")


@pytest.fixture
async def drafts(tmp_path):
    """Yields the drafts and what was asked for through them; `answers` are refusals to come."""
    asked, answers = [], []

    async def ask(path, prompt):
        asked.append((path, prompt))
        answer = answers.pop() if answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    watch = DeskWatch(tmp_path / "desk").start()
    drafts = NewTaskDrafts(root=tmp_path / "desk", watch=watch, ask=ask)
    task = asyncio.create_task(drafts.run())
    yield drafts, asked, answers
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    watch.stop()


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  conditions of the disk come without an event
            await asyncio.sleep(0.005)


async def test_saving_the_draft_without_its_marker_asks_for_it_in_its_repository(drafts, tmp_path):
    drafts, asked, _ = drafts
    path = await drafts.open(tmp_path / "project")
    path.write_text("Add a JSON view.\n")
    await until(lambda: asked == [(tmp_path / "project", "Add a JSON view.")])
    await until(lambda: not path.exists())


async def test_a_draft_that_is_refused_stays_and_says_why(drafts, tmp_path):
    drafts, asked, answers = drafts
    answers.append(REFUSED)
    told = []
    path = await drafts.open(tmp_path / "project", told.append)
    path.write_text("Add a JSON view.\n")
    await until(lambda: told)
    assert "There is no key. Set one." in told[0]
    assert path.read_text() == "Add a JSON view.\n"
    path.write_text("Add a JSON view, please.\n")
    await until(lambda: len(asked) == 2 and not path.exists())


async def test_a_mistake_in_sending_one_draft_is_told_and_keeps_no_other_from_being_sent(drafts, tmp_path):
    drafts, asked, answers = drafts
    told = []
    path = await drafts.open(tmp_path / "project", told.append)
    answers.append(RuntimeError("a mistake"))
    path.write_text("Add a JSON view.\n")
    await until(lambda: told)
    assert "a mistake" in told[0]
    path.write_text("Add a JSON view, please.\n")
    await until(lambda: not path.exists())
    assert asked[-1][1] == "Add a JSON view, please."


async def test_a_draft_saved_while_the_daemon_was_down_is_sent_on_start(tmp_path):
    asked = []

    async def ask(path, prompt):
        asked.append((path, prompt))

    path = await NewTaskDrafts(root=tmp_path / "desk", watch=DeskWatch(tmp_path / "desk"), ask=ask).open(tmp_path / "project")
    path.write_text("Add a JSON view.\n")
    task = asyncio.create_task(NewTaskDrafts(root=tmp_path / "desk", watch=DeskWatch(tmp_path / "desk"), ask=ask).run())
    await until(lambda: asked == [(tmp_path / "project", "Add a JSON view.")])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
