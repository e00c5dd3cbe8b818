import pytest
from msgspec import UNSET

from specthread.agents import search
from specthread.agents.paths import Workspace
from specthread.agents.process import CommandResult
from specthread.agents.spill import SPILLED
from specthread.agents.tools import MOST_CHARACTERS, WorkspaceTools
from support.worktree_tools import SHOWN, make_worktree, snapshot, use


@pytest.fixture
def root(tmp_path):
    return make_worktree(tmp_path)


@pytest.fixture
def tools(root):
    async def no_shell(_command: str, _timeout: float) -> CommandResult:
        raise AssertionError("the shell was not asked for")

    return WorkspaceTools.for_work(root=root, shown_root=SHOWN, shell=no_shell)


SWAPPED = {
    "read": {"path": "src/deep/secret"},
    "read a folder": {"path": "src/deep"},
    "edit": {"path": "src/deep/secret", "old": "token", "new": "owned"},
    "write": {"path": "src/deep/secret", "text": "owned"},
    "write a new file": {"path": "src/deep/new", "text": "owned"},
    "write in a new folder": {"path": "src/deep/more/new", "text": "owned"},
}


async def test_what_the_system_refuses_is_told_with_the_path_as_the_agent_gave_it(tools, root):
    for path in ("src/missing.py", f"{SHOWN}/gone.py"):
        result = await use(tools, "read", path=path)
        assert (result.is_error, result.content) == (True, f"That is not possible for `{path}`: No such file or directory.")


@pytest.mark.parametrize("level", ["src", "src/deep"])
@pytest.mark.parametrize("call", SWAPPED)
async def test_a_folder_that_becomes_a_link_after_its_path_was_judged_leads_nowhere(tools, root, monkeypatch, call, level):
    """The race is held at its worst moment: the swap happens between the judgement and whatever is done with it."""
    name, given_ = call.split()[0], SWAPPED[call]
    outside = root.parent / "outside"
    (outside / "deep/more").mkdir(parents=True)
    for folder in (outside, outside / "deep", root / "src/deep"):
        (folder / "secret").write_text("token")
    await use(tools, "read", path="src/deep/secret")
    before = snapshot(outside)

    def swapping(judge):
        def swap(self, path):
            real = judge(self, path)
            if not (root / level).is_symlink():
                (root / level).rename(root / "moved")
                (root / level).symlink_to(outside if level == "src" else outside / "deep")
            return real

        return swap

    for judged in ("to_read", "to_write"):
        monkeypatch.setattr(Workspace, judged, swapping(getattr(Workspace, judged)))
    result = await use(tools, name, **given_)
    assert result.is_error, result.content
    assert "more/" not in result.content.replace(given_["path"], "")
    assert snapshot(outside) == before
    assert not [path for path in outside.rglob("*") if path.name.startswith(".specthread")]


async def test_a_search_goes_through_no_folder_that_became_a_link_meanwhile(root, monkeypatch):
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "app.py").write_text("token\n")
    lines = search.found(root, "token|return", "src/*.py")
    first = search._paths

    def late(where):
        for relative, folder in first(where):
            if relative == "src/app.py":
                (root / "src").rename(root / "moved")
                (root / "src").symlink_to(outside)
            yield relative, folder

    monkeypatch.setattr(search, "_paths", late)
    assert list(lines) == ["src/app.py:5: return 1"]


async def test_output_that_is_too_long_is_kept_where_the_agent_reads_the_rest_of_it(root, tmp_path):
    lines = "".join(f"line {number}\n" for number in range(1, 9_001))

    async def shell(_command: str, _timeout: float) -> CommandResult:
        return CommandResult(exit_code=1, output=lines, outcome="exited", duration=1.0)

    tools = WorkspaceTools.for_work(root=root, shown_root=SHOWN, shell=shell, output=tmp_path / "output")
    before = snapshot(root)
    said = (await use(tools, "shell", command="make")).content
    assert len(said) < MOST_CHARACTERS + 300
    path = SPILLED.search(said)[0]
    assert "  4500\tline 4500" in (await use(tools, "read", path=path, first_line=4_500, lines=1)).content
    assert (await use(tools, "edit", path=path, old="line 1", new="x")).is_error
    for elsewhere in ("/run/output/../worktree/src/app.py", "/run/output/none.txt", "/run/outputs/x"):
        assert (await use(tools, "read", path=elsewhere)).is_error
    assert (await use(tools, "shell", command="make")).content == said
    assert len(list((tmp_path / "output").iterdir())) == 1
    assert snapshot(root) == before


async def test_each_result_says_whether_the_files_changed(root):
    async def shell(command: str, _timeout: float) -> CommandResult:
        if command != "true":
            (root / "made").write_text(command)
        return CommandResult(exit_code=0, output="", outcome="exited", duration=1.0)

    async def look() -> object:
        return (root / "made").read_text() if (root / "made").exists() else ""

    tools = WorkspaceTools.for_work(root=root, shown_root=SHOWN, shell=shell, look=look)
    steps = [
        ("read", {"path": "src/app.py"}, False),
        ("edit", {"path": "src/app.py", "old": "none", "new": "x"}, False),
        ("edit", {"path": "src/app.py", "old": "return 1", "new": "return 2"}, True),
        ("shell", {"command": "true"}, False),
        ("shell", {"command": "touch"}, True),
        ("shell", {"command": "touch"}, False),
        ("shell", {"command": "again"}, True),
        ("search", {"files": "*.py"}, False),
        ("write", {"path": "new.py", "text": ""}, True),
    ]
    for name, given_, changed in steps:
        assert (await use(tools, name, **given_)).changed is changed, (name, given_)
    blind = WorkspaceTools.for_work(root=root, shown_root=SHOWN, shell=shell)
    assert (await use(blind, "shell", command="true")).changed is UNSET
