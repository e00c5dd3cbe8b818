import asyncio
import os
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specthread.agents.paths import Workspace
from specthread.agents.process import CommandResult
from specthread.agents.search import glob_expression
from specthread.agents.tools import MOST_CHARACTERS, WorkspaceTools
from support.worktree_tools import SHOWN, make_worktree, snapshot, use


async def no_shell(_command: str, _timeout: float) -> CommandResult:
    raise AssertionError("the shell was not asked for")


@pytest.fixture
def root(tmp_path):
    return make_worktree(tmp_path)


@pytest.fixture
def tools(root):
    return WorkspaceTools.for_work(root=root, shown_root=SHOWN, shell=no_shell, protected=(".specs/x-1", ".specthread"))


@pytest.mark.parametrize("path", ["src/app.py", "./src/app.py", f"{SHOWN}/src/app.py", "src//app.py"])
async def test_a_file_is_read_with_line_numbers_by_any_spelling_of_its_path(tools, path):
    assert (await use(tools, "read", path=path)).content.splitlines()[3] == "     4\tdef main():"


ATTACKS = {
    "up and out": "../secret",
    "up from below": "src/../../secret",
    "up and back in": "src/../src/app.py",
    "up in an absolute path": f"{SHOWN}/../secret",
    "an absolute path elsewhere": "/etc/passwd",
    "a path that only begins like the root": f"{SHOWN}-other/secret",
    "a link to a file outside": "link-file",
    "a link to a folder outside": "link-folder/secret",
    "a link to a link outside": "link-link",
    "a link to the root of all": "link-root/etc/passwd",
    "a link in circles": "circle",
    "git's file": ".git",
    "git's folder": "vendor/.git/config",
    "git in another case": "vendor/.GIT/config",
    "git with a dot at its end": ".git./config",
    "git by its short name": "GIT~1/config",
    "git by a link inside": "link-git/config",
    "git by its absolute path": f"{SHOWN}/.git",
    "a null character": "src/app.py\0.txt",
    "a name too long": "x" * 300,
    "a pipe": "pipe",
    "a device by a link": "link-device",
}


def plant(root) -> None:
    (root / "vendor/.git").mkdir(parents=True)
    (root / "vendor/.git/config").write_text("[core]")
    os.mkfifo(root / "pipe")
    links = {
        "link-file": "../secret",
        "link-folder": "..",
        "link-link": "link-file",
        "link-root": "/",
        "circle": "circle",
        "link-git": "vendor/.git",
        "link-device": "/dev/zero",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)


@pytest.mark.parametrize("path", ATTACKS.values(), ids=ATTACKS.keys())
async def test_no_path_leads_where_the_agent_may_not_be(tools, root, path):
    plant(root)
    before = snapshot(root.parent)
    for name, given_ in (("read", {}), ("edit", {"old": "t", "new": "u"}), ("write", {"text": "owned"})):
        result = await asyncio.wait_for(use(tools, name, path=path, **given_), timeout=5)
        assert result.is_error, f"{name} was allowed: {result.content}"
        assert str(root) not in result.content
    assert snapshot(root.parent) == before


@pytest.mark.parametrize(
    "path", [".specs/x-1/tasks.md", ".specs/x-1/new.md", ".SPECS/X-1/new.md", "link-spec/tasks.md", ".gitmodules", "sub/.gitmodules", "."]
)
async def test_what_is_protected_may_be_read_and_not_written(tools, root, path):
    (root / "link-spec").symlink_to(".specs/x-1")
    before = snapshot(root)
    await use(tools, "read", path=path)
    assert (await use(tools, "write", path=path, text="owned")).is_error
    assert (await use(tools, "edit", path=path, old="[ ]", new="[x]")).is_error
    assert snapshot(root) == before
    assert not (await use(tools, "read", path=".specs/x-1/tasks.md")).is_error


async def test_files_that_only_look_like_gits_are_ordinary(tools):
    for path in (".gitignore", ".github/workflows/ci.yml", "git/notes", ".specs/x-10/tasks.md"):
        assert not (await use(tools, "write", path=path, text="x")).is_error


async def test_a_link_inside_the_project_is_followed(tools, root):
    (root / "alias.py").symlink_to("src/app.py")
    assert "def main" in (await use(tools, "read", path="alias.py")).content
    assert not (await use(tools, "edit", path="alias.py", old="return 1", new="return 2")).is_error
    assert (root / "alias.py").is_symlink()
    assert "return 2" in (root / "src/app.py").read_text()


async def test_a_file_must_be_read_before_it_is_changed(tools, root):
    assert "Read `src/app.py` before" in (await use(tools, "edit", path="src/app.py", old="1", new="2")).content
    assert "Read `src/app.py` before" in (await use(tools, "write", path="src/app.py", text="x")).content
    await use(tools, "read", path="src/app.py")
    assert not (await use(tools, "edit", path="src/app.py", old="return 1", new="return 2")).is_error
    assert not (await use(tools, "edit", path="src/app.py", old="return 2", new="return 3")).is_error
    (root / "src/app.py").write_text("somebody else\n")
    assert "has changed since" in (await use(tools, "edit", path="src/app.py", old="else", new="")).content
    assert (root / "src/app.py").read_text() == "somebody else\n"


async def test_an_edit_names_the_place_or_says_what_is_near(tools, root):
    (root / "a.txt").write_text("alpha beta\ngamma\nalpha delta\n")
    await use(tools, "read", path="a.txt")
    twice = await use(tools, "edit", path="a.txt", old="alpha", new="x")
    assert (twice.is_error, "2 times, at lines 1, 3" in twice.content) == (True, True)
    never = await use(tools, "edit", path="a.txt", old="gamma ray", new="x")
    assert (never.is_error, "0 times" in never.content, "line 2: `gamma`" in never.content) == (True, True, True)
    assert "empty" in (await use(tools, "edit", path="a.txt", old="", new="x")).content
    assert "the same" in (await use(tools, "edit", path="a.txt", old="gamma", new="gamma")).content
    assert "similar" in (await use(tools, "edit", path="a.txt", old="?????????", new="x")).content


async def test_an_edit_of_all_places_changes_them_all_and_says_how_many(tools, root):
    (root / "src/app.py").write_bytes(b"a = 1\r\nb = 1\r\n")
    await use(tools, "read", path="src/app.py")
    refused = await use(tools, "edit", path="src/app.py", old="= 1", new="= 2")
    assert "2 times, at lines 1, 2" in refused.content
    assert "`replace_all`" in refused.content
    result = await use(tools, "edit", path="src/app.py", old="= 1", new="= 2", replace_all=True)
    assert (result.content, result.is_error) == ("Edited `src/app.py` at 2 places.", False)
    assert (root / "src/app.py").read_bytes() == b"a = 2\r\nb = 2\r\n"
    assert (await use(tools, "edit", path="src/app.py", old="c", new="d", replace_all=True)).is_error


async def test_an_edit_keeps_windows_line_ends_and_every_other_byte(tools, root):
    (root / "w.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\nthree")
    await use(tools, "read", path="w.txt")
    assert "line 1" in (await use(tools, "edit", path="w.txt", old="one\ntwo", new="1\n2")).content
    assert (root / "w.txt").read_bytes() == b"\xef\xbb\xbf1\r\n2\r\nthree"


async def test_a_file_that_is_not_text_is_left_alone(tools, root):
    (root / "binary").write_bytes(b"\x7fELF\0\0")
    (root / "latin").write_bytes("café".encode("latin-1"))
    assert (await use(tools, "read", path="binary")).content == "That is a binary file."
    await use(tools, "read", path="latin")
    assert "not UTF-8" in (await use(tools, "edit", path="latin", old="caf", new="x")).content


async def test_writing_keeps_the_mode_and_leaves_nothing_else_behind(tools, root):
    script = root / "run.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    await use(tools, "read", path="run.sh")
    await use(tools, "write", path="run.sh", text="#!/bin/sh\ntrue\n")
    await use(tools, "write", path="new/folder/file.txt", text="hello\n")
    assert script.stat().st_mode & 0o777 == 0o755
    assert (root / "new/folder/file.txt").stat().st_mode & 0o777 == 0o644
    assert sorted(path.name for path in root.iterdir()) == [".git", ".specs", "new", "run.sh", "src"]


async def test_what_the_file_system_refuses_is_a_result_without_the_machines_path(tools, root):
    (root / "file").write_text("x")
    result = await use(tools, "write", path="file/below", text="x")
    assert result.is_error
    assert str(root) not in result.content


async def test_long_files_come_in_parts_that_say_how_to_go_on(tools, root):
    (root / "long.txt").write_text("".join(f"line {number} {'x' * 60}\n" for number in range(1, 3001)))
    (root / "wide.txt").write_text("y" * 100_000)
    part = (await use(tools, "read", path="long.txt")).content
    assert len(part) < MOST_CHARACTERS + 100
    following = int(part.rsplit("first_line ", 1)[1].rstrip(".]"))
    assert f"line {following} " in (await use(tools, "read", path="long.txt", first_line=following, lines=1)).content.splitlines()[0]
    assert (await use(tools, "read", path="long.txt", first_line=3000)).content.startswith("  3000\tline 3000")
    assert "only 3000 lines" in (await use(tools, "read", path="long.txt", first_line=3001)).content
    assert "[line cut]" in (await use(tools, "read", path="wide.txt")).content


async def test_a_file_too_large_to_read_is_named_so(tools, root):
    with (root / "huge").open("wb") as file:
        file.truncate(9 * 1024 * 1024)
    assert "too many to read" in (await use(tools, "read", path="huge")).content


async def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(root):
    program = f"""
import asyncio, resource, signal
from pathlib import Path
from specthread.agents.backend import ToolUse
from specthread.agents.tools import WorkspaceTools
async def main():
    tools = WorkspaceTools.for_work(root=Path({str(root)!r}), shown_root={SHOWN!r}, shell=None)
    await tools.use(ToolUse(id="1", name="read", input={{"path": "src/app.py"}}))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
    result = await tools.use(ToolUse(id="2", name="write", input={{"path": "src/app.py", "text": "x" * 100}}))
    assert result.is_error and "too large" in result.content.lower(), result
asyncio.run(main())
"""
    before = snapshot(root)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    assert await process.wait() == 0
    assert snapshot(root) == before


async def test_a_folder_is_listed_without_gits_part(tools):
    assert (await use(tools, "read", path=".")).content == ".specs/\nsrc/"
    assert (await use(tools, "read", path="src")).content == "app.py\ndeep/"
    assert (await use(tools, "read", path="src/deep")).content == "The folder is empty."


async def test_search_finds_lines_and_files_and_stays_inside(tools, root):
    plant(root)
    assert (await use(tools, "search", pattern="def \\w+")).content == "src/app.py:4: def main():"
    assert (await use(tools, "search", files="**/*.py")).content == "src/app.py"
    assert (await use(tools, "search", files="app.py")).content == "src/app.py"
    for nothing in ({"pattern": "token"}, {"pattern": "core"}, {"pattern": "gitdir"}, {"pattern": "def", "files": "*.md"}):
        assert (await use(tools, "search", **nothing)).content == "Nothing was found."


async def test_a_search_that_cannot_be_read_or_never_ends_is_a_result(tools, root, monkeypatch):
    assert "not a regular expression" in (await use(tools, "search", pattern="(")).content
    monkeypatch.setattr("specthread.agents.tools.SEARCH_SECONDS", 0.5)
    (root / "trap.txt").write_text("a" * 40 + "!\n")
    result = await use(tools, "search", pattern="(a+)+$")
    assert (result.is_error, "simpler pattern" in result.content) == (True, True)


async def test_a_search_with_too_much_to_find_says_so(tools, root):
    (root / "many.txt").write_text("same\n" * 500)
    lines = (await use(tools, "search", pattern="same")).content.splitlines()
    assert (len(lines), lines[-1]) == (201, "[There is more; these are the first 200. Narrow the search.]")


@pytest.mark.parametrize(
    ("result", "is_error", "says"),
    [
        (CommandResult(exit_code=0, output="ok\n", outcome="exited", duration=0.1), False, "ok\n[exit code 0]"),
        (CommandResult(exit_code=1, output="", outcome="exited", duration=0.1), False, "[exit code 1]"),
        (CommandResult(exit_code=139, output="x", outcome="signal", duration=0.1), True, "[killed, exit code 139]"),
        (CommandResult(exit_code=None, output="x", outcome="timeout", duration=5.0), True, "stopped after 5 seconds"),
        (CommandResult(exit_code=None, output="no bwrap", outcome="sandbox-failed", duration=0.0), True, "was not run"),
        (CommandResult(exit_code=0, output="z" * 90_000, outcome="exited", duration=0.1), False, "characters left out"),
    ],
)
async def test_the_shell_says_how_a_command_ended(root, result, is_error, says):
    asked: list[tuple[str, float]] = []

    async def shell(command: str, timeout: float) -> CommandResult:  # noqa: ASYNC109  the port's own word
        asked.append((command, timeout))
        return result

    tools = WorkspaceTools.for_work(root=root, shown_root=SHOWN, shell=shell)
    answer = await use(tools, "shell", command="make", timeout=9999)
    assert asked == [("make", 600.0)]
    assert answer.is_error == is_error
    assert says in answer.content
    assert len(answer.content) < MOST_CHARACTERS + 100


async def test_a_command_that_cannot_even_be_passed_on_is_a_result(tools):
    assert "null character" in (await use(tools, "shell", command="ls\0")).content


async def test_a_reading_toolbox_has_no_tool_that_changes_anything(root):
    tools = WorkspaceTools.for_reading(root=root, shown_root=SHOWN)
    assert [spec.name for spec in tools.specs] == ["read", "search"]
    for name, given_ in (
        ("write", {"path": "x", "text": ""}),
        ("edit", {"path": "x", "old": "a", "new": "b"}),
        ("shell", {"command": "ls"}),
    ):
        assert "There is no tool" in (await use(tools, name, **given_)).content


@settings(deadline=None)
@given(st.text(alphabet="ab/.*?[({\\", max_size=12))
def test_any_glob_is_a_regular_expression(glob):
    import re

    re.compile(glob_expression(glob))


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [
        ("*.py", "a/b/c.py", True),
        ("src/*.py", "src/a/b.py", False),
        ("src/**/*.py", "src/b.py", True),
        ("src/**/*.py", "src/a/b/c.py", True),
        ("src/**", "src/a/b", True),
        ("./src/a?.c", "src/ab.c", True),
        ("a.py", "axpy", False),
        ("a+b", "a+b", True),
    ],
)
def test_globs_mean_what_people_expect(glob, path, fits):
    import re

    assert bool(re.fullmatch(glob_expression(glob), path)) == fits


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the first text of all takes seconds to draw
@given(st.text(max_size=40))
def test_no_text_at_all_makes_a_path_that_escapes_or_an_exception(path):
    import tempfile
    from pathlib import Path

    from specthread.agents.paths import PathRefused

    with tempfile.TemporaryDirectory() as folder:
        try:
            real = Workspace(root=Path(folder), shown_root=SHOWN).to_write(path)
        except PathRefused:
            return
        assert real.is_relative_to(Path(folder).resolve())


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("read", {"path": "a\ud83d.txt"}),
        ("write", {"path": "a\ud83d.txt", "text": "x"}),
        ("write", {"path": "a.txt", "text": "x\ud83d"}),
        ("search", {"pattern": "\ud83d"}),
        ("edit", {"path": "src/app.py", "old": "import os", "new": "\ud83d"}),
    ],
)
async def test_half_a_surrogate_pair_is_refused_with_a_sentence(tools, name, given):
    await use(tools, "read", path="src/app.py")
    result = await use(tools, name, **given)
    assert result.is_error
    assert "Unicode" in result.content


async def test_a_file_name_that_is_not_utf_8_is_listed_in_text_that_can_be_written_down(tools, root):
    (root / os.fsdecode(b"caf\xe9.txt")).write_text("x")
    assert "caf\ufffd.txt" in (await use(tools, "read", path=".")).content
