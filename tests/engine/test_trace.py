from __future__ import annotations

import os

import pytest

from specgit.repository import Repository
from specthread.engine.trace import FRESH_SECONDS, Traces
from specthread.engine.trace_files import CommittedFiles, TraceKeeper, WorkingFiles, commits_of, root_of
from specthread.spec.markers import LARGEST
from specthread.spec.symbols import Symbol
from specthread.views.trace import TraceRules
from specthread.views.trace_rows import row_of, rows
from support.git_fixture import commit_files, fingerprint, git, isolate_git, make_repository

HOME = ".specs/add-json-7k3f"
ONE = Symbol("criterion", "1.1")
FILES = {
    f"{HOME}/requirements.md": "### Requirement 1: JSON\n\n#### Acceptance Criteria\n\n1. THE cli SHALL print.\n2. THE cli SHALL end.\n",
    f"{HOME}/tasks.md": "- [x] 1. Encoder\n  - _Requirements: 1.1_\n- [ ] 2. End\n  - _Requirements: 1.2_\n",
    "src/encode.py": "# Req 1.1\n",
    "tests/test_encode.py": "def test_req_1_1(): ...\n",
    "README.md": "What Req 1.1 says.\n",
    "picture.bin": b"\0Req 1.1",
    "large.js": b"// Req 1.1\n" * (LARGEST // 10),
    "一覧.py": "# 🎉 Req 1.1\n",
}


@pytest.fixture(autouse=True)
def _no_config_of_this_machine(monkeypatch, tmp_path):
    isolate_git(monkeypatch, tmp_path / "home")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))


@pytest.fixture
def checkout(tmp_path):
    return make_repository(tmp_path / "checkout", FILES)


def working(checkout):
    return WorkingFiles(root=checkout, repository=Repository.open(checkout), walked=())


def paths(index):
    return sorted(index.files)


def test_files_that_nobody_ignores_are_read_and_what_cannot_hold_markers_is_counted(checkout):
    (checkout / "new.py").write_text("# Req 1.1\n")
    (checkout / "build.py").write_text("# Req 1.1\n")
    (checkout / ".git/info/exclude").write_text("build.py\n")
    (checkout / "link.py").symlink_to(checkout / "src/encode.py")
    git(checkout, "add", "link.py")
    before = fingerprint(checkout)
    index = TraceKeeper().follow(working(checkout), TraceRules())
    assert paths(index) == ["new.py", "src/encode.py", "tests/test_encode.py", "一覧.py"]
    assert dict(index.passed_over) == {"large.js": "large", "picture.bin": "binary"}
    assert fingerprint(checkout) == before


def test_a_commit_gives_the_same_index_as_its_checkout(checkout):
    of_disk = TraceKeeper().follow(working(checkout), TraceRules())
    of_git = TraceKeeper().follow(CommittedFiles(repository=Repository.open(checkout), commit="HEAD"), TraceRules())
    assert (of_git.files, of_git.passed_over) == (of_disk.files, of_disk.passed_over)
    assert rows(of_git, HOME) == rows(of_disk, HOME)


class Counting:
    """Counts what is read of other files."""

    def __init__(self, files):
        self.files = files
        self.read = []

    def stamps(self):
        return self.files.stamps()

    def contents(self, paths):
        paths = list(paths)
        self.read += paths
        return self.files.contents(paths)


def test_only_what_changed_is_read_again_and_deleted_files_are_forgotten(checkout):
    files, keeper = Counting(working(checkout)), TraceKeeper()
    keeper.follow(files, TraceRules())
    assert len(files.read) == 7
    files.read.clear()
    keeper.follow(files, TraceRules())
    assert files.read == []
    (checkout / "src/encode.py").write_text("# Req 1.2, and more\n")
    (checkout / "tests/test_encode.py").unlink()
    tasks = checkout / HOME / "tasks.md"
    tasks.write_text(tasks.read_text().replace("[ ] 2. End", "[x] 2. Ended"))
    index = keeper.follow(files, TraceRules())
    assert files.read == [f"{HOME}/tasks.md", "src/encode.py"]
    assert paths(index) == ["src/encode.py", "一覧.py"]
    (whole,) = rows(index, HOME)
    assert [task.title for task in whole.tasks] == ["Encoder", "Ended"]
    anew = TraceKeeper().follow(working(checkout), TraceRules())
    assert (anew.files, rows(anew, HOME)) == (index.files, rows(index, HOME))
    git(checkout, "rm", "--quiet", "-r", "-f", ".specs")
    index = keeper.follow(files, TraceRules())
    assert (len(index.specs), len(index.files)) == (0, 0)


def test_where_no_spec_is_no_code_is_read(tmp_path):
    files = Counting(working(make_repository(tmp_path / "plain", {"a.py": "# Req 1.1\n"})))
    TraceKeeper().follow(files, TraceRules())
    assert files.read == []


def test_commits_are_found_by_their_trailers(checkout):
    commit_files(checkout, {"a.py": "1\n"}, "Unrelated\n\nSpec-Task: is only spoken of here.\n\nMore words.")
    work = commit_files(
        checkout,
        {"a.py": "2\n"},
        "Merge task 1\n\nSpec-Task: add-json-7k3f/1\nSpec-Requirement: 1.1\nSpec-Requirement: 1.2\nSpec-Session: add-json-7k3f/ws-1/1",
    )
    mine = commit_files(checkout, {"a.py": "3\n"}, "By hand\n\nSpec-Requirement: add-json#1.1, 1.2")
    found = commits_of(Repository.open(checkout), "HEAD")
    assert [(each.oid, each.spec, each.task, each.requirements, each.session) for each in found] == [
        (mine, "add-json", "", ("1.1", "1.2"), ""),
        (work, "add-json-7k3f", "1", ("1.1", "1.2"), "add-json-7k3f/ws-1/1"),
    ]
    index = TraceKeeper().follow(working(checkout), TraceRules()).with_commits(found)
    row = row_of(index, HOME, ONE)
    assert row
    assert [commit.subject for commit in row.commits] == ["By hand", "Merge task 1"]
    assert commits_of(Repository.open(checkout), "nowhere") == ()


def test_the_merge_of_a_session_stands_for_its_commits_and_for_merges_inside_it(checkout):
    told = "Spec-Task: add-json-7k3f/1\nSpec-Requirement: 1.1\nSpec-Session: add-json-7k3f/ws-1"
    git(checkout, "checkout", "--quiet", "-b", "ws-1")
    commit_files(checkout, {"one.py": "1\n"}, f"Work\n\n{told}/1")
    git(checkout, "checkout", "--quiet", "main")
    commit_files(checkout, {"two.py": "1\n"}, "Meanwhile")
    git(checkout, "checkout", "--quiet", "ws-1")
    git(checkout, "merge", "--quiet", "--no-ff", "main", "-m", f"Conflict\n\n{told}/1")
    git(checkout, "checkout", "--quiet", "main")
    git(checkout, "merge", "--quiet", "--no-ff", "ws-1", "-m", f"Merge task 1\n\n{told}/2")
    assert [each.subject for each in commits_of(Repository.open(checkout), "main")] == ["Merge task 1"]
    assert [each.subject for each in commits_of(Repository.open(checkout), "ws-1~1")] == ["Work"]


def test_a_folder_without_git_is_read_as_it_lies(tmp_path):
    for path in (".kiro/specs/auth/requirements.md", "src/a.py", "node_modules/a.js", ".hidden/a.py"):
        file = tmp_path / "plain" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(FILES[f"{HOME}/requirements.md"] if path.endswith(".md") else "# Req 1.1\n")
    for inside in ("src", ".kiro/specs/auth"):
        files = root_of(tmp_path / "plain" / inside)
        assert files
        assert (files.root, files.repository) == (tmp_path / "plain", None)
    assert paths(TraceKeeper().follow(files, TraceRules())) == ["src/a.py"]
    assert root_of(tmp_path / "home") is None


async def test_an_editors_question_is_answered_from_an_index_that_is_at_most_moments_old(checkout, tmp_path):
    now = [100.0]
    traces = Traces(lambda _: TraceRules(exclude=("一覧.py",)), lambda: now[0])
    placed = await traces.at(checkout / "src" / "encode.py")
    assert placed
    assert (placed.root, paths(placed.index)) == (str(checkout), ["src/encode.py", "tests/test_encode.py"])
    os.unlink(checkout / "src" / "encode.py")  # noqa: PTH108
    assert (await traces.at(checkout / "src" / "encode.py")) == placed
    now[0] += FRESH_SECONDS
    later = await traces.at(checkout / "tests" / "test_encode.py")
    assert later
    assert paths(later.index) == ["tests/test_encode.py"]
    assert await traces.at(make_repository(tmp_path / "plain", {"a.py": "# Req 1.1\n"}) / "a.py") is None
