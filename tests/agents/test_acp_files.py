import pytest

from specthread.agents.sandbox import probe
from support.acp_story import AcpStory, done, say

pytestmark = pytest.mark.skipif(not probe().available, reason=probe().reason)


@pytest.fixture
def story(tmp_path):
    return AcpStory(tmp_path)


async def test_each_file_of_a_wish_is_shown_and_judged_by_where_it_lies(story):
    diffs = [
        {"type": "diff", "path": path, "oldText": "1", "newText": text}
        for path, text in (("/project/docs/a.md", "two"), ("/project/db/x/../migrations/a.sql", "drop"), ("db//migrations/b.sql", "three"))
    ]
    edit = {
        "toolCallId": "c1",
        "kind": "edit",
        "content": diffs,
        "locations": [{"path": "/project/./docs/c.md"}, {"path": "/etc/x"}, {"path": "/project/link/d.sql"}, 5],
    }
    (story.worktree / "db/migrations").mkdir(parents=True)
    (story.worktree / "link").symlink_to("db/migrations")
    fetch = {"toolCallId": "c2", "kind": "fetch", "rawInput": {"url": "https://docs.example/a"}}
    story.script([{"ask": edit, "then": [done("c1")]}, {"ask": fetch, "then": [done("c2", "fetch")]}, say("End.")])
    await story.run()
    first, second = story.journal.requests
    assert (first["path"], *first["others"]) == (
        "docs/a.md",
        "db/migrations/a.sql",
        "db/migrations/b.sql",
        "docs/c.md",
        "/etc/x",
        "db/migrations/d.sql",
    )
    shown = story.journal.of("permitted")[0][1]
    assert [each for each in ("docs/a.md", "x/../migrations/a.sql", "drop", "b.sql", "three", "/etc/x") if each not in shown] == []
    assert (second["address"], second["path"]) == ("https://docs.example/a", "")


async def test_a_wish_for_more_files_than_anybody_reads_is_not_granted(story):
    edit = {"toolCallId": "c1", "kind": "edit", "locations": [{"path": f"/project/{number:020}"} for number in range(2_000)]}
    story.script([{"ask": edit, "then": [done("c1")], "otherwise": [done("c1", status="failed")]}, say("End.")])
    await story.run()
    assert story.journal.requests == []
    assert [answer["optionId"] for answer in story.answers()] == ["id-reject_once"]
