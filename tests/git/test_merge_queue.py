"""A queue of merges: what stands on the branch was checked exactly as it stands there, and one that fails stops nobody else."""

import threading
from datetime import UTC, datetime

import pytest

from specgit.commits import CommitRequest
from specgit.errors import CheckedOutElsewhere
from specgit.merge_queue import CheckResult, MergeQueue, MergeRequest
from specgit.types import Oid, Person, spec_refs
from support.git_fixture import fingerprint, git

REFS = spec_refs("a-7k3f")
ADA = Person(name="Ada", email="ada@example.org")
WHEN = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def feature(writer, repository):
    start = repository.head().oid
    return writer.commit(
        [CommitRequest(ref=REFS.feature, message="Publish", author=ADA, when=WHEN, files={"f": b"1\n2\n3\n"}, start=start)]
    )[0].oid


@pytest.fixture
def work(writer, feature):
    """Commits work of a session that began at the feature branch's first tip."""

    def commit(number, files):
        request = CommitRequest(ref=REFS.session(number), message="Work", author=ADA, when=WHEN, files=files, start=feature)
        oid = writer.commit([request])[0].oid
        return MergeRequest(source=oid, into=REFS.feature, message=f"Merge {number}", author=ADA, when=WHEN, event=f"merge-{number}")

    return commit


@pytest.fixture
def seen():
    return []


@pytest.fixture
def queue_with(repository, writer, tmp_path, seen):
    def make(check=lambda _: CheckResult(passed=True), merge=None):
        def watched(folder):
            seen.append({path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()})
            return check(folder)

        return MergeQueue(repository, writer, scratch=tmp_path / "scratch", check=watched, merge=merge)

    return make


def test_each_merge_is_checked_as_it_will_stand_and_has_two_parents(queue_with, work, repository, checkout, feature, seen, tmp_path):
    queue = queue_with()
    before = fingerprint(checkout)
    one, two = work(1, {"one": b"1\n"}), work(2, {"two": b"2\n"})
    for request in (one, two):
        queue.enqueue(request)
    assert [outcome.state for outcome in queue.states()] == ["queued", "queued"]
    first, second = queue.next(), queue.next()
    assert (first.state, second.state, queue.next()) == ("landed", "landed", None)
    assert [{"one", "two"} & set(files) for files in seen] == [{"one"}, {"one", "two"}]
    assert repository.log(REFS.feature)[0].parents == (first.commit.oid, two.source)
    assert repository.log(first.commit.oid)[0].parents == (feature, one.source)
    assert not (tmp_path / "scratch").exists()
    assert fingerprint(checkout) == before


def test_what_conflicts_or_fails_leaves_with_its_reason_and_the_rest_goes_on(queue_with, work, repository):
    queue = queue_with(check=lambda folder: CheckResult(passed=not (folder / "bad").exists(), output="1 failed"))
    for request in (work(1, {"f": b"one\n2\n3\n"}), work(2, {"f": b"two\n2\n3\n"}), work(3, {"bad": b""}), work(4, {"f": b"1\n2\nfour\n"})):
        queue.enqueue(request)
    outcomes = [queue.next() for _ in range(4)]
    assert [outcome.state for outcome in outcomes] == ["landed", "conflicted", "failed", "landed"]
    assert (outcomes[1].conflicts, outcomes[2].reason) == (("f",), "1 failed")
    assert repository.read(REFS.feature, "f") == b"one\n2\nfour\n"
    assert repository.read(REFS.feature, "bad") is None


def test_a_branch_that_moves_while_its_merge_is_checked_is_merged_and_checked_anew(queue_with, work, repository, writer, seen):
    def check(_):
        if len(seen) == 1:
            writer.commit([CommitRequest(ref=REFS.feature, message="Meanwhile", author=ADA, when=WHEN, files={"late": b"1"})])
        return CheckResult(passed=True)

    queue = queue_with(check=check)
    queue.enqueue(work(1, {"one": b"1\n"}))
    assert queue.next().state == "landed"
    assert ["late" in files for files in seen] == [False, True]
    assert repository.read(REFS.feature, "late") == b"1"


def test_what_is_cancelled_does_not_land_even_while_it_is_checked(queue_with, work, repository, feature):
    waiting, begun = work(1, {"one": b"1\n"}), work(2, {"two": b"2\n"})
    queue = queue_with(check=lambda _: (queue.cancel(begun.source), CheckResult(passed=True))[1])
    queue.enqueue(waiting)
    queue.cancel(waiting.source)
    queue.enqueue(begun)
    assert [queue.next().state, queue.next().state] == ["cancelled", "cancelled"]
    assert repository.resolve(REFS.feature) == feature
    queue.enqueue(waiting)  # asked for again


def test_lines_that_conflict_may_be_brought_together_by_what_they_mean(queue_with, work, repository):
    queue = queue_with(merge=lambda _path, _base, ours, theirs: ours + theirs)
    for request in (work(1, {"f": b"one\n"}), work(2, {"f": b"two\n"})):
        queue.enqueue(request)
    assert [queue.next().state, queue.next().state] == ["landed", "landed"]
    assert repository.read(REFS.feature, "f") == b"one\ntwo\n"


def test_a_branch_that_is_missing_is_told_and_one_that_is_checked_out_stays_first(queue_with, work, repository, checkout, tmp_path):
    queue = queue_with()
    request = work(1, {"one": b"1\n"})
    git(checkout, "worktree", "add", "--quiet", tmp_path / "mine", REFS.feature.removeprefix("refs/heads/"))
    queue.enqueue(request)
    with pytest.raises(CheckedOutElsewhere):
        queue.next()
    git(checkout, "worktree", "remove", tmp_path / "mine")
    assert queue.next().state == "landed"
    queue.enqueue(MergeRequest(source=request.source, into=spec_refs("b-7k3f").feature, message="m", author=ADA, when=WHEN))
    assert "There is no branch" in queue.next().reason


def test_several_threads_merge_one_after_the_other(queue_with, work, repository, seen):
    inside = threading.Lock()

    def check(_):
        assert inside.acquire(blocking=False)
        repository.head()  # takes long enough for another thread to come in
        inside.release()
        return CheckResult(passed=True)

    queue = queue_with(check=check)
    for number in range(1, 7):
        queue.enqueue(work(number, {f"file-{number}": b"1\n"}))
    outcomes = []
    threads = [threading.Thread(target=lambda: outcomes.extend((queue.next(), queue.next()))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome.state for outcome in outcomes] == ["landed"] * 6
    assert len({path for path in (entry.path for entry in repository.entries(REFS.feature)) if path.startswith("file-")}) == 6
    assert len(seen) == 6


def test_a_candidate_that_is_wrong_in_itself_stops_nobody_and_a_check_that_breaks_is_the_callers(queue_with, work, repository):
    def check(folder):
        if (folder / "breaks").exists():
            raise RuntimeError("the check broke")
        return CheckResult(passed=True)

    queue = queue_with(check=check)
    good = work(1, {"one": b"1\n"})
    queue.enqueue(MergeRequest(source=Oid("1" * 40), into=REFS.feature, message="m", author=ADA, when=WHEN))
    queue.enqueue(work(2, {"breaks": b""}))
    queue.enqueue(good)
    assert queue.next().state == "failed"
    with pytest.raises(RuntimeError):
        queue.next()
    assert queue.next().state == "landed"


def test_one_that_is_asked_for_twice_is_cancelled_twice_and_one_that_is_asked_for_again_lands(queue_with, work):
    request = work(1, {"one": b"1\n"})
    seen = []

    def check(_):
        seen.append([outcome.state for outcome in queue.states()])
        if len(seen) == 1:
            queue.cancel(request.source)
            queue.enqueue(request)
        return CheckResult(passed=True)

    queue = queue_with(check=check)
    for _ in range(2):
        queue.enqueue(request)
    assert [queue.next().state for _ in range(3)] == ["cancelled", "cancelled", "landed"]
    assert seen == [["testing", "queued"], ["testing"]]
