import pytest

from specgit.repository import Repository
from specthread.agents.scripted import use
from specthread.engine.project_background import commands, conventions
from specthread.engine.project_map import MOST_CHARACTERS, map_of
from specthread.engine.reading_project import ProjectReader
from support.git_fixture import git, isolate_git, make_repository

FILES = {
    "README.md": "One.\n",
    "src/app.py": "def one():\n    return 1\n\n\ndef two():\n    return 2\n",
    "src/web/[id].ts": "export const two = 2\n",
    "node_modules/x/index.js": "const two = 2\n",
    "logo.png": "\0PNG\n",
    "empty": "",
}


@pytest.fixture
def made(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return lambda files: make_repository(tmp_path / "checkout", files)


@pytest.fixture
def reader(made):
    checkout = made(FILES)
    (checkout / "src" / "app.py").write_text("changed in the checkout\n")
    return ProjectReader(repository=Repository.open(checkout), commit=git(checkout, "rev-parse", "HEAD"), shown_root=str(checkout))


READS = {
    "a file by its path": ("src/app.py", {}, "     1\tdef one():\n     2\t    return 1"),
    "a part of it": (
        "./src/../src/app.py",
        {"first_line": 5, "lines": 1},
        "     5\tdef two():\n[Lines 5 to 5 of 6. Go on with first_line 6.]",
    ),
    "beyond its end": ("src/app.py", {"first_line": 9}, "The file has only 6 lines."),
    "a folder": ("src/", {}, "app.py\nweb/"),
    "the top": (".", {}, "README.md\nempty\nlogo.png\nnode_modules/\nsrc/"),
    "an empty file": ("empty", {}, "The file is empty."),
    "a binary one": ("logo.png", {}, "That is a binary file."),
    "none": ("src/none.py", {}, "There is no file `src/none.py` in the project."),
    "git's own": (".git/config", {}, "There is no file"),
    "the machine's": ("/etc/passwd", {}, "lies outside of the project"),
    "one above": ("src/../../secret", {}, "lies outside of the project"),
    "a null character": ("a\0b", {}, "cannot contain a null character"),
}


@pytest.mark.parametrize(("path", "more", "said"), READS.values(), ids=READS)
async def test_the_committed_file_is_read_and_nothing_else(reader, path, more, said):
    result = await reader.use(use("read", path=path, **more))
    assert said in result.content


async def test_a_path_below_the_folder_it_is_told_is_the_same_file(reader):
    assert "def one" in (await reader.use(use("read", path=f"{reader.shown_root}/src/app.py"))).content


SEARCHES = {
    "a pattern": ({"pattern": r"def \w+"}, "src/app.py:1: def one():\nsrc/app.py:5: def two():"),
    "what tools made": ({"pattern": "two ="}, "src/web/[id].ts:1: export const two = 2"),
    "a name anywhere": ({"pattern": "two", "files": "*.ts"}, "src/web/[id].ts:1: export const two = 2"),
    "a name with brackets": ({"pattern": "two", "files": "src/web/[id].ts"}, "src/web/[id].ts:1: export const two = 2"),
    "a folder": ({"files": "src/**/*.py"}, "src/app.py"),
    "names with brackets": ({"files": "[id].ts"}, "src/web/[id].ts"),
    "all names": ({}, "README.md\nempty\nlogo.png\nsrc/app.py\nsrc/web/[id].ts"),
    "nothing": ({"pattern": "nowhere"}, "Nothing was found."),
    "no expression": ({"pattern": "("}, "`(` is not a regular expression: missing ), unterminated subpattern at position 0."),
}


@pytest.mark.parametrize(("given", "said"), SEARCHES.values(), ids=SEARCHES)
async def test_a_search_is_of_the_commit(reader, given, said):
    assert (await reader.use(use("search", **given))).content == said


def of_head(made, files, read):
    checkout = made(files)
    return read(Repository.open(checkout), git(checkout, "rev-parse", "HEAD"))


def test_a_small_project_is_told_path_by_path(made):
    assert of_head(made, {"b/c.py": "1\n", "a.py": "1\n"}, map_of) == "a.py\nb/c.py"


def test_a_large_project_is_told_by_folders_with_what_they_hold(made):
    tests = {f"tests/part{number}/test_{test}.py": "x\n" for number in range(10) for test in range(30)}
    asides = {f"vendor/lib/{number:03}.c": "x\n" for number in range(200)}
    drawn = of_head(made, {"zz/core.py": "x" * 3000, **tests, **asides}, map_of)
    assert drawn.startswith("501 files, 3.9 KB (.py, .c). Folders by what they hold:\n  tests/: 300 files, 600 bytes (.py)\n")
    assert "\nzz/\n  core.py" in drawn
    assert "\ntests/part0/\n  test_0.py, test_1.py, test_10.py" in drawn
    assert "  vendor/: 200 files, 400 bytes (.c)" in drawn
    assert "000.c" not in drawn
    assert len(drawn) < 2 * MOST_CHARACTERS


def tree(made, lines):
    return git(made, "mktree", "-z", stdin=("\0".join(lines) + "\0").encode())


async def test_a_project_of_a_million_files_is_mapped_read_and_searched_without_a_checkout(made):
    checkout = made({"README.md": "1\n"})
    blob = git(checkout, "rev-parse", "HEAD:README.md")
    thousand = tree(checkout, [f"100644 blob {blob}\t{number:04}.py" for number in range(1_000)])
    many = tree(checkout, [f"040000 tree {thousand}\tp{number:04}" for number in range(1_000)])
    commit = git(checkout, "commit-tree", tree(checkout, [f"040000 tree {many}\tmany", f"100644 blob {blob}\tREADME.md"]), "-m", "Many")
    repository = Repository.open(checkout)
    drawn = map_of(repository, commit)
    assert drawn.startswith("about 9")  # what was not looked into is estimated
    assert "  many/: about 9" in drawn
    assert "and 960 smaller folders" in drawn
    assert len(drawn) < 2 * MOST_CHARACTERS
    reader = ProjectReader(repository=repository, commit=commit, shown_root="/project")
    assert "     1\t1" in (await reader.use(use("read", path="many/p0999/0999.py"))).content
    assert "many/p0999/0007.py" in (await reader.use(use("search", files="many/p0999/*7.py"))).content
    assert "There is more" in (await reader.use(use("search", files="*.py"))).content


def test_what_a_project_says_to_its_contributors_is_read_once_cut_and_bounded(made):
    told = of_head(
        made,
        {
            "AGENTS.md": "Use tabs.\n",
            "CLAUDE.md": "Use tabs.\n",
            ".github/copilot-instructions.md": "../AGENTS.md",
            "CONTRIBUTING.md": "x" * 20_000,
            ".kiro/steering/tech.md": "Python 3.12.\n",
            ".cursor/rules/style.mdc": "Short names.\n",
            ".cursor/rules/logo.png": "\0",
        },
        conventions,
    )
    assert list(told) == ["AGENTS.md", "CONTRIBUTING.md", ".kiro/steering/tech.md", ".cursor/rules/style.mdc"]
    assert (told["AGENTS.md"], len(told["CONTRIBUTING.md"])) == ("Use tabs.", 8_000)


def test_the_commands_a_project_names_are_told(made):
    files = {"pyproject.toml": "[tool.pytest.ini_options]\n", "Makefile": "lint:\n\ttrue\n"}
    assert of_head(made, files, commands) == "lint: make lint\ntests: pytest -q"
