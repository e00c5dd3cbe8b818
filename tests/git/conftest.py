import pytest

from specgit.commits import Writer
from specgit.repository import Repository
from specgit.worktrees import Worktrees
from support.git_fixture import isolate_git, make_repository
from support.worktree_story import WS

FILES = {"README.md": "Hello\n", "src/app.py": "print('hello')\n", "src/lib/deep.py": "x = 1\n", ".gitignore": "*.log\nbuild/\n"}


@pytest.fixture(autouse=True)
def _no_config_of_this_machine(monkeypatch, tmp_path):
    isolate_git(monkeypatch, tmp_path / "home")


@pytest.fixture
def checkout(tmp_path):
    return make_repository(tmp_path / "repo", FILES)


@pytest.fixture
def repository(checkout):
    return Repository.open(checkout)


@pytest.fixture
def writer(repository):
    return Writer(repository)


@pytest.fixture
def base(repository):
    return repository.head().oid


@pytest.fixture
def worktrees(repository):
    return Worktrees(repository)


@pytest.fixture
def desk(worktrees, tmp_path, base):
    path = tmp_path / "work" / "ws-1"
    worktrees.add(path, branch=WS, start=base)
    return path
