import pytest

from specgit.commits import Writer
from specgit.repository import Repository
from support.git_fixture import isolate_git, make_repository

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
