import pytest

from specthread.engine.environment import shared_folders
from specthread.engine.repositories import Repositories
from support.git_fixture import isolate_git, make_repository


@pytest.fixture
def opened(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    checkout = make_repository(tmp_path / "checkout", {".gitignore": "/.venv\n/vendor\n"})
    for name in (".venv", "vendor", "kept"):
        (checkout / name).mkdir()
    repositories = Repositories(tmp_path / "state", "test")
    yield repositories.open(checkout)
    repositories.close()


@pytest.mark.parametrize(
    ("configured", "shared"),
    [(None, (".venv",)), ((), ()), (("vendor",), ("vendor",)), (("vendor", ".venv", "kept", "../checkout"), ("vendor", ".venv"))],
)
def test_dependency_folders_are_found_unless_somebody_says_which_are_shared(opened, configured, shared):
    assert shared_folders(opened, configured) == shared
