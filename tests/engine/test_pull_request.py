"""What a person agreed to is pushed and opened, nothing else; and an open pull request is kept true while the daemon runs."""

from __future__ import annotations

import pytest

from specgit.remote_errors import LeaseLost, NotTaken, Unreachable
from specthread.domain import commands as c
from specthread.domain.model import Refusal
from specthread.engine.pull_request import Opened
from specthread.views.pull_request import BEGIN, END
from support.fake_forge import HEAD, TOKEN, Fault
from support.forge_story import EVERY, QUIET, REMOTE, forge_story
from support.git_fixture import commit_files, fingerprint, git, isolate_git, make_repository

TEMPLATE = "## Checklist\n\n- [ ] I read it\n"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    files = {"calc.py": "", ".github/pull_request_template.md": TEMPLATE, ".gitlab/merge_request_templates/Default.md": TEMPLATE}
    return make_repository(tmp_path / "checkout", files)


# --- asking


@pytest.mark.parametrize("kind", ["github", "gitlab"])
async def test_what_was_agreed_to_is_pushed_and_a_draft_is_opened(tmp_path, repository, kind):
    async with forge_story(tmp_path, repository, kind=kind) as story:
        before = fingerprint(repository)
        opened = await story.ask()
        assert isinstance(opened, Opened)
        assert (opened.how, opened.number) == ("opened", 7)
        assert story.there() == {story.feature: git(repository, "rev-parse", story.feature)}
        (pull,) = story.fake.pulls
        assert (pull.branch, pull.base, pull.draft) == (story.feature.removeprefix("refs/heads/"), "main", True)
        assert pull.title == "Subtract one number from another number, and never show [redacted]"
        assert pull.body.startswith(BEGIN)
        assert pull.body.endswith(f"{END}\n\n{TEMPLATE}")
        assert "hunter2" not in pull.body
        known = story.spectask.pull_request
        assert (known.url, known.forge, known.person, known.address) == (opened.url, kind, "Ada Example", REMOTE)
        assert fingerprint(repository) == before


async def test_until_somebody_asks_the_network_is_not_touched(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        planned = await story.plan()
        assert (planned.address.shown, planned.base, planned.known) == (REMOTE, "main", "")
        assert [ref for ref, _ in planned.refs] == [story.feature]
        assert (story.fake.requests, story.asked_tokens, story.there(), story.naps.slept) == ([], [], {}, [])
        assert not (tmp_path / "ssh.log").exists()


async def test_records_are_pushed_only_by_a_second_choice(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        await story.ask()
        assert set(story.there()) == {story.feature}
        assert "stay with the author" in story.fake.pull(7).body
        await story.ask(records=True)
        name = f"spectask/{story.world.id}"
        assert set(story.there()) == {story.feature, f"refs/heads/{name}/specs", f"refs/tags/{name}/v1"}
        await story.arrives(lambda: f"branch `{name}/specs`, `{name}/v1`" in story.fake.pull(7).body)


async def test_asking_again_pushes_what_came_since_and_brings_the_text_up_to_date(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        await story.ask()
        await story.naps.wait_nap()
        story.fake.pull(7).body = "Mine.\n\n" + story.fake.pull(7).body.replace("## Why", "## Old")
        commit_files(repository, {"other.py": "1\n"}, "The target moves")
        await story.world.give(c.SyncTarget(spectask=story.world.id))
        await story.world.until(lambda spectask: not spectask.syncing and spectask.feature == git(repository, "rev-parse", story.feature))
        opened = await story.ask()
        assert (opened.how, opened.number) == ("updated", 7)
        assert story.there()[story.feature] == git(repository, "rev-parse", story.feature)
        body = story.fake.pull(7).body
        assert body.startswith(f"Mine.\n\n{BEGIN}")
        assert "## Why" in body
        assert body.endswith(TEMPLATE)
        assert len(story.fake.pulls) == 1


async def test_a_branch_that_somebody_moved_there_is_left_to_them(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        await story.ask()
        tip = git(repository, "rev-parse", story.feature)
        theirs = git(story.shared, "commit-tree", f"{tip}^{{tree}}", "-p", tip, "-m", "Theirs")
        git(story.shared, "update-ref", story.feature, theirs)
        commit_files(repository, {"other.py": "1\n"}, "The target moves")
        await story.world.give(c.SyncTarget(spectask=story.world.id))
        await story.world.until(lambda spectask: not spectask.syncing and spectask.feature != tip)
        with pytest.raises(LeaseLost):
            await story.ask()
        assert story.there() == {story.feature: theirs}


async def test_what_somebody_took_back_there_is_not_put_there_again(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        await story.ask()
        earlier = git(repository, "rev-parse", "main")
        git(story.shared, "update-ref", story.feature, earlier)
        with pytest.raises(LeaseLost):
            await story.ask(records=True)
        assert story.there() == {story.feature: earlier}


async def test_a_branch_of_that_name_that_we_do_not_hold_is_not_replaced(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        tree = git(story.shared, "hash-object", "-w", "-t", "tree", "--stdin")
        theirs = git(story.shared, "commit-tree", tree, "-m", "Theirs")
        git(story.shared, "update-ref", story.feature, theirs)
        with pytest.raises(LeaseLost):
            await story.ask()
        assert story.there() == {story.feature: theirs}
        assert {asked.method for asked in story.fake.requests} <= {"GET"}


async def test_one_that_was_opened_by_hand_is_taken_over_with_its_words(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        git(repository, "push", "--quiet", f"file://{story.shared}", f"{story.feature}:{story.feature}")
        story.fake.add(story.feature.removeprefix("refs/heads/"), body="By hand.")
        opened = await story.ask()
        assert (opened.how, opened.number) == ("updated", 7)
        assert story.fake.pull(7).body.endswith(f"{END}\n\nBy hand.\n")


async def test_after_a_closed_one_a_new_one_is_opened(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        await story.ask()
        await story.naps.wait_nap()
        story.fake.pull(7).state = "closed"
        await story.naps.pass_by()
        await story.world.until(lambda spectask: spectask.pull_request.state == "closed")
        git(story.shared, "update-ref", "-d", story.feature)
        opened = await story.ask()
        assert (opened.how, opened.number) == ("opened", 8)


async def test_without_a_token_nothing_is_pushed(tmp_path, repository):
    async with forge_story(tmp_path, repository, token="") as story:
        found = await story.ask()
        assert isinstance(found, Refusal)
        assert (found.code, story.there(), story.fake.requests) == ("no-token", {}, [])
        assert "gh auth login" in found.hint


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (None, "no-remote"),
        ("ext::sh -c touch% x", "bad-address"),
        ("https://elsewhere.example.org/ada/calc", "unknown-forge"),
        ("git@forge.example.org:calc", "unknown-forge"),
    ],
)
async def test_an_address_that_is_no_known_forge_is_refused_before_anything_is_sent(tmp_path, repository, url, code):
    async with forge_story(tmp_path, repository) as story:
        git(repository, "config", *(["remote.origin.url", url] if url else ["--unset", "remote.origin.url"]))
        found = await story.ask()
        assert isinstance(found, Refusal)
        assert (found.code, bool(found.hint), story.fake.requests) == (code, True, [])
        assert not (tmp_path / "ssh.log").exists()


async def test_a_plan_has_another_name_as_soon_as_anything_in_it_is_different(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        seen = [(await story.plan()).fingerprint, (await story.plan(records=True)).fingerprint]
        assert (await story.plan()).fingerprint == seen[0]
        for url in ("https://forge.example.org/ada/calc", "https://secret@forge.example.org/ada/calc", "git@forge.example.org:eve/calc"):
            git(repository, "config", "remote.origin.url", url)
            planned = await story.plan()
            seen.append(planned.fingerprint)
            assert "secret" not in planned.address.shown
        assert len(set(seen)) == len(seen)


async def test_a_forge_that_refuses_is_told_and_asking_again_goes_on(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        story.fake.faults.append(Fault(when="POST", status=422, body={"message": "Draft pull requests are not supported"}))
        with pytest.raises(NotTaken, match="Draft pull requests are not supported"):
            await story.ask()
        assert story.spectask.pull_request is None
        assert set(story.there()) == {story.feature}
        assert (await story.ask()).how == "opened"


async def test_the_token_stands_in_nothing_that_is_kept(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        await story.ask()
        await story.world.until(lambda spectask: not spectask.uncommitted)
        specs = f"spectask/{story.world.id}/specs"
        decisions = git(repository, "grep", "-h", "-e", "pull/7", specs)
        assert '"url": "https://forge.example.org/ada/calc/pull/7"' in decisions
        assert '"pull_request": "https://forge.example.org/ada/calc/pull/7"' in decisions
        kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.suffix in {".db", ".json", ".log", ".db-wal"}]
        assert kept
        assert not [content for content in kept if TOKEN.encode() in content]


# --- keeping it true


async def test_checks_and_reviews_come_back_as_events_every_few_minutes(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        await story.ask()
        await story.naps.wait_nap()
        assert story.naps.slept == [EVERY]
        story.fake.runs = [{"name": "unit", "status": "completed", "conclusion": "failure"}]
        story.fake.reviews = [{"user": {"login": "bob"}, "state": "CHANGES_REQUESTED"}]
        story.fake.pull(7).draft = False
        await story.naps.pass_by()
        await story.world.until(lambda spectask: spectask.pull_request.checks != ())
        known = story.spectask.pull_request
        assert (known.checks, known.reviews, known.draft) == ((("unit", "failing"),), (("bob", "changes_requested"),), False)
        await story.naps.wait_nap()
        events = await story.world.engine.read_events(story.world.id)
        assert [type(item.event).__name__ for item in events].count("PullRequestChanged") == 1


async def test_the_text_follows_the_work_in_one_go(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        await story.ask()
        await story.naps.wait_nap()
        asked = len(story.fake.asked("PATCH"))
        assert "not yet: task 1 (open), 2 (open)" in story.fake.pull(7).body
        await story.world.give(c.SkipTask(spectask=story.world.id, task="1"))
        await story.arrives(lambda: "1 (skipped)" in story.fake.pull(7).body)
        assert story.naps.slept.count(QUIET) == 1
        assert len(story.fake.asked("PATCH")) == asked + 1
        assert story.there() == {story.feature: story.spectask.pull_request.pushed[0][1]}, "nothing is pushed by itself"


async def test_nothing_is_written_where_the_text_is_true_already(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        await story.ask()
        await story.naps.pass_by()
        await story.naps.wait_nap()
        assert story.fake.asked("PATCH") == []
        assert len(story.fake.asked(f"GET /commits/{HEAD}/check-runs")) >= 1


async def test_who_took_our_part_out_does_not_get_it_back_until_they_ask(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        await story.ask()
        await story.naps.wait_nap()
        story.fake.pull(7).body = "Only mine.\n"
        await story.naps.pass_by()
        await story.naps.wait_nap()
        assert story.fake.pull(7).body == "Only mine.\n"
        await story.ask()
        assert story.fake.pull(7).body.endswith(f"{END}\n\nOnly mine.\n")


async def test_a_merged_one_is_left_alone_from_then_on(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        await story.ask()
        await story.naps.wait_nap()
        story.fake.pull(7).merged = True
        story.fake.pull(7).body = before = story.fake.pull(7).body.replace("## Why", "## As it was merged")
        await story.naps.pass_by()
        await story.world.until(lambda spectask: spectask.pull_request.state == "merged")
        assert story.fake.pull(7).body == before
        found = await story.ask()
        assert isinstance(found, Refusal)
        assert found.code == "already-merged"


async def test_a_forge_that_cannot_be_reached_is_a_trouble_until_it_can(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        await story.ask()
        await story.naps.wait_nap()
        story.fake.faults.append(Fault(when="GET /repos/ada/calc/pulls/7", status=502))
        await story.naps.pass_by()
        await story.world.until(lambda spectask: "That is not yours to mend" in spectask.trouble)
        await story.naps.pass_by()
        await story.world.until(lambda spectask: not spectask.trouble)


async def test_a_limit_is_respected_whatever_happens_meanwhile(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        await story.ask()
        await story.naps.wait_nap()
        story.fake.faults.append(Fault(when="GET /repos/ada/calc/pulls/7", status=429, headers={"retry-after": "4000"}))
        await story.naps.pass_by()
        await story.world.until(lambda spectask: "Ask again in 67 minutes" in spectask.trouble)
        await story.naps.wait_nap()
        asked = len(story.fake.requests)
        await story.world.give(c.SkipTask(spectask=story.world.id, task="1"))
        assert (story.naps.slept[-1], len(story.fake.requests)) == (4000.0, asked)


async def test_a_restarted_daemon_goes_on_at_the_address_that_was_noted(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        await story.ask()
        number = story.spectask.pull_request.number
    git(repository, "config", "remote.origin.url", "git@evil.example.org:ada/calc.git")
    async with forge_story(tmp_path, repository, approve=False) as story:
        story.fake.add(f"spectask/{story.world.id}/feature", number=number, body="Old")
        story.fake.pull(number).merged = True
        await story.world.until(lambda spectask: spectask.pull_request.state == "merged")
        assert set(story.asked_tokens) == {"forge.example.org"}


async def test_a_lost_network_while_pushing_opens_nothing(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        (tmp_path / "ssh").write_text("#!/bin/sh\necho 'ssh: connect to host x port 22: Connection refused' >&2; exit 255\n")
        with pytest.raises(Unreachable):
            await story.ask()
        assert {asked.method for asked in story.fake.requests} <= {"GET"}


async def test_a_push_that_could_not_be_noted_is_gone_on_from(tmp_path, repository):
    async with forge_story(tmp_path, repository) as story:
        await story.ask()
        first = git(repository, "rev-parse", story.feature)
        # Pushed, and then the daemon was cut off: git there has more than the log knows.
        tree = git(repository, "rev-parse", f"{first}^{{tree}}")
        second = git(repository, "commit-tree", tree, "-p", first, "-m", "Second")
        git(repository, "push", "--quiet", story.shared, f"{second}:{story.feature}")
        third = git(repository, "commit-tree", tree, "-p", second, "-m", "Third")
        git(repository, "update-ref", story.feature, third)
        await story.ask()
        assert story.there() == {story.feature: third}
