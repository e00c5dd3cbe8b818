import os
from dataclasses import replace

import pytest

from specgit.errors import GitError
from specgit.glance import grep, look_up, walk
from specgit.repository import Repository
from support.git_fixture import git, isolate_git, make_repository


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate_git(monkeypatch, tmp_path / "home")


def seen(repository, most_bytes):
    return {
        found.path: found.entries and [entry.name for entry in found.entries] for found in walk(repository, "HEAD", most_bytes=most_bytes)
    }


def test_a_walk_reads_level_by_level_and_tells_of_what_is_too_large(tmp_path):
    many = {f"many/{number}.txt": "x\n" for number in range(100)}
    made = make_repository(tmp_path / "r", {"a.py": "1\n", "src/deep/b.py": "2\n", **many})
    repository = Repository.open(made)
    assert seen(repository, 100_000)["many"] == sorted(f"{number}.txt" for number in range(100))
    few = seen(repository, 500)
    assert few == {"": ["a.py", "many", "src"], "many": None, "src": ["deep"], "src/deep": ["b.py"]}
    (large,) = (found for found in walk(repository, "HEAD", most_bytes=500) if found.entries is None)
    assert 50 < large.about < 200


def test_names_with_any_bytes_are_looked_up_and_found(tmp_path):
    made = make_repository(tmp_path / "r", {"a\nb missing": "one\n", "日本.txt": "two\n"})
    repository = Repository.open(made)
    found = look_up(repository, ["HEAD:a\nb missing", "HEAD:a\nb", "HEAD:日本.txt", "HEAD"])
    assert [item and (item.kind, item.size) for item in found][:3] == [("blob", 4), None, ("blob", 4)]
    assert found[3].kind == "commit"
    assert [match.path for match in grep(repository, "HEAD", "two", [], limit_bytes=1000, timeout=60)] == ["日本.txt"]


def test_a_search_is_of_text_in_the_commit_alone_and_runs_nothing(tmp_path):
    ran = tmp_path / "ran"
    made = make_repository(
        tmp_path / "r",
        {"a.py": "def one():\n    pass\n", "docs/a.md": "def one\n", ".gitattributes": "*.py diff=bad filter=bad\n", "blob": "def\0one\n"},
    )
    git(made, "config", "diff.bad.textconv", f"touch {ran}; cat")
    git(made, "config", "filter.bad.smudge", f"touch {ran}; cat")
    (made / "a.py").write_text("def other\n")
    repository = Repository.open(made)
    assert grep(repository, "HEAD", r"def\s+\w+", [":(glob)**/*.py"], limit_bytes=1000, timeout=60) == [("a.py", 1, "def one():")]
    assert grep(repository, "HEAD", "nowhere", [], limit_bytes=1000, timeout=60) == []
    with pytest.raises(GitError):
        grep(repository, "HEAD", "(", [], limit_bytes=1000, timeout=60)
    assert not ran.exists()


def test_a_million_files_cost_no_more_than_the_caller_reads(tmp_path):
    made = make_repository(tmp_path / "r", {"README.md": "1\n"})
    blob = git(made, "rev-parse", "HEAD:README.md")
    wide = tree(made, [f"100644 blob {blob}\t{number:07}.py" for number in range(1_000_000)])
    thousand = tree(made, [f"100644 blob {blob}\t{number:04}.py" for number in range(1_000)])
    deep = tree(made, [f"040000 tree {thousand}\tp{number:04}" for number in range(1_000)])
    top = tree(made, [f"040000 tree {wide}\twide", f"040000 tree {deep}\tdeep", f"100644 blob {blob}\tREADME.md"])
    commit = git(made, "commit-tree", top, "-m", "Many")
    folders = list(walk(Repository.open(made), commit, most_bytes=4_000_000))
    read = sum(len(found.entries) for found in folders if found.entries is not None)
    assert 50_000 < read < 150_000
    large = {found.path: found.about for found in folders if found.entries is None}
    assert 800_000 < large["wide"] < 1_200_000
    assert len(folders) == 1_003  # the top, both, and each of a thousand, looked into or not


def tree(made, lines):
    return git(made, "mktree", "-z", stdin=("\0".join(lines) + "\0").encode())


def test_a_folder_too_deep_is_told_and_not_looked_into(tmp_path):
    made = make_repository(tmp_path / "r", {"/".join(["d"] * 40) + "/f": "1\n"})
    *_, last = walk(Repository.open(made), "HEAD", most_bytes=100_000)
    assert (last.entries, last.path.count(os.sep)) == (None, 23)


class NewerGit:
    """Answers for a submodule as git does from 2.51 on: with the commit it stands at, and that it is one."""

    def __init__(self, runner, oid):
        self.runner, self.oid = runner, oid

    def run(self, args, **given):
        done = self.runner.run(args, **given)
        return replace(done, stdout=done.stdout.replace(b"HEAD:sub missing", self.oid.encode() + b" submodule"))


def test_a_submodule_is_nothing_that_can_be_read_for_a_newer_git_too(tmp_path):
    made = make_repository(tmp_path / "r", {"a.py": "1\n"})
    oid = git(made, "rev-parse", "HEAD")
    git(made, "update-index", "--add", "--cacheinfo", f"160000,{'1' * len(oid)},sub")
    git(made, "commit", "--quiet", "-m", "Sub")
    names = ["HEAD:sub", "HEAD:a.py"]
    for runner in (Repository.open(made).runner, NewerGit(Repository.open(made).runner, "1" * len(oid))):
        repository = replace(Repository.open(made), runner=runner)
        assert [found and found.kind for found in look_up(repository, names)] == [None, "blob"]
        assert repository.read_all([("HEAD", "sub"), ("HEAD", "a.py")]) == [None, b"1\n"]
