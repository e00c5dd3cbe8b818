import asyncio
from types import SimpleNamespace

import pytest

from specthread.agents.mounts import Mount, apart_from
from specthread.agents.orphans import end_orphans
from specthread.agents.sandbox import probe
from specthread.engine.environment import environment_for, make_private_git
from specthread.engine.repositories import Repositories
from specthread.engine.settings import RepositorySettings
from support.engine_world import settings
from support.git_fixture import commit_files, git, isolate_git, make_repository, write_files

bubblewrap = pytest.mark.skipif(not probe().available, reason=probe().reason)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "place" / "checkout", {"calc.py": "whose = 'committed'\n", ".gitignore": ".venv/\n"})


@pytest.fixture
def opened(tmp_path, checkout):
    repositories = Repositories(tmp_path / "state", "test")
    yield repositories.open(checkout)
    repositories.close()


@pytest.fixture
def environment(tmp_path, opened):
    """Makes the environment of a folder in which an agent has worked."""
    write_files(tmp_path / "work", {"calc.py": "whose = 'agent'\n"})
    ports = SimpleNamespace(settings=settings(tmp_path), repository_settings=lambda _: RepositorySettings())
    head = opened.repository.head().oid

    async def make():
        return await environment_for(ports, opened, tmp_path / "work", head=head, tree=head, private=tmp_path / "private")

    return make


@bubblewrap
@pytest.mark.parametrize("folder", ["bin", "scripts", "tools/bin"])
async def test_a_path_entry_inside_the_checkout_shows_nothing_of_the_users_files(environment, checkout, monkeypatch, folder):
    write_files(checkout, {f"{folder}/tool": "", "lib/x": "", "tools/lib/x": "", "secret.txt": "the user's"})
    monkeypatch.setenv("PATH", f"{checkout / folder}:/usr/bin:/bin")
    result = await (await environment()).run(f"cat calc.py; ls secret.txt {folder}/tool; touch new && echo writable", 20)
    assert "whose = 'agent'" in result.output
    assert result.output.count("No such file") == 2
    assert "writable" in result.output


@bubblewrap
async def test_a_path_entry_beside_the_checkout_shows_nothing_of_what_lies_around_it(environment, checkout, monkeypatch):
    write_files(checkout.parent, {"bin/tool": "", "lib/x": "", "other/secret.txt": "the user's"})
    monkeypatch.setenv("PATH", f"{checkout.parent / 'bin'}:/usr/bin:/bin")
    result = await (await environment()).run(f"ls {checkout.parent}", 20)
    assert result.output == "checkout\n"


@bubblewrap
async def test_a_shared_folder_is_shown_though_path_names_it_too(environment, checkout, monkeypatch):
    write_files(checkout, {".venv/bin/tool": "#!/bin/sh\necho tool runs\n", ".venv/lib/x": ""})
    (checkout / ".venv/bin/tool").chmod(0o755)
    monkeypatch.setenv("PATH", f"{checkout}/.venv/bin:/usr/bin:/bin")
    result = await (await environment()).run("tool; cat calc.py; touch .venv/new", 20)
    assert result.output.startswith("tool runs\nwhose = 'agent'\n")
    assert "Read-only file system" in result.output


@bubblewrap
async def test_a_command_is_known_as_its_daemons_own(environment, tmp_path):
    working = asyncio.create_task((await environment()).run("sleep 600", 600))
    while not await asyncio.to_thread(end_orphans, settings(tmp_path).state):
        pass
    assert (await working).exit_code != 0


def test_a_mount_that_leads_into_a_guarded_place_through_a_link_is_left_out(tmp_path):
    write_files(tmp_path, {"state/bin/x": "", "tools/x": ""})
    (tmp_path / "link").symlink_to(tmp_path / "state")
    mounts = [Mount(source=tmp_path / name, target=f"/{name}", writable=False) for name in ("link/bin", "state", "tools", "state/bin/x")]
    assert apart_from(mounts, [tmp_path / "state/bin"]) == (mounts[2],)
    assert apart_from(mounts, [tmp_path / "link"]) == (mounts[2],)


@bubblewrap
async def test_git_inside_knows_the_users_branches_and_tags_and_none_of_ours(environment, checkout):
    git(checkout, "tag", "-a", "v1.2", "-m", "Release")
    git(checkout, "branch", "work/mine")
    git(checkout, "branch", "spectask/a-1/feature")
    git(checkout, "tag", "-a", "spectask/a-1/v1", "-m", "Spec")
    git(checkout, "tag", "light")
    shown = await (await environment()).run(
        "git describe && git for-each-ref --format='%(refname)' && git log --oneline main && git status -s", 20
    )
    assert shown.output.splitlines()[:5] == ["v1.2", "refs/heads/main", "refs/heads/work", "refs/tags/light", "refs/tags/v1.2"]
    assert "M calc.py" in shown.output
    assert shown.exit_code == 0


@bubblewrap
async def test_git_inside_works_in_a_shallow_clone(tmp_path, checkout):
    commit_files(checkout, {"calc.py": "2\n"}, "Second")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{checkout}", "shallow")
    repositories = Repositories(tmp_path / "state", "test")
    opened = repositories.open(tmp_path / "shallow")
    head = opened.repository.head().oid
    make_private_git(opened, tmp_path / "private", head, head)
    repositories.close()
    (tmp_path / "private/git/objects/info/alternates").write_text(f"{tmp_path}/shallow/.git/objects\n")  # where they are outside
    assert git(tmp_path / "private/git", "log", "--format=%s", "work", "--") == "Second"


def test_what_an_unfinished_private_git_left_is_replaced(tmp_path, opened):
    write_files(tmp_path, {"private/git/HEAD": "half"})
    head = opened.repository.head().oid
    make_private_git(opened, tmp_path / "private", head, head)
    assert (tmp_path / "private/git/HEAD").read_text() == "ref: refs/heads/work\n"
