import os
from pathlib import Path

import pytest

from specthread.agents.sandbox import probe
from specthread.agents.scripted import opening, replies_before, spoken, use
from specthread.domain import commands as c
from specthread.domain.model import Refusal
from specthread.domain.names import documents_of
from specthread.engine.creation import NewSpecTask
from specthread.engine.settings import RepositorySettings
from specthread.protocol.convert import review_documents, spectask_view
from specthread.protocol.wire_view import TargetView
from specthread.spec.dialects import document_of
from specthread.spec.tasks import parse_tasks
from support.corpus import documents_in, folders, home_of, needs_corpus
from support.engine_world import ADA, world
from support.git_fixture import commit_files, fingerprint, git, isolate_git, make_repository, write_files

FOLDER = ".kiro/specs/name-list"
REQUIREMENTS = b"""# Requirements: List of names\r
\r
### Requirement 1\r
\r
**User Story:** As a caller, I want names, so that I can greet.\r
\r
#### Acceptance Criteria\r
\r
1. WHEN a caller asks, THE module SHALL return the names.\r
"""
DESIGN = b"# Design\r\n\r\nOne module.\r\n"
TASKS = b"""# Implementation Plan\r
\r
- [x] 1. Set up the project\r
  - _Requirements: 1.1_\r
- [ ] 2. Return the names\r
  - Write `names.py`.\r
  - _Requirements: 1.1_\r
- [ ]* 3. Measure it\r
  - _Requirements: 1.1_\r
"""
KIRO = {f"{FOLDER}/requirements.md": REQUIREMENTS, f"{FOLDER}/design.md": DESIGN, f"{FOLDER}/tasks.md": TASKS}
CHECK = RepositorySettings(project_check="python3 -c 'import names'")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    return make_repository(tmp_path / "checkout", {"README.md": "Names.\n", **KIRO})


def blob(repository, place):
    """Returns the bytes of a file in git."""
    return os.fsencode(git(repository, "cat-file", "blob", place)) + b"\n"


def writing(request):
    """The agent of every session writes the module and finishes."""
    steps = [(use("write", path="names.py", text="NAMES = []\n"),), (use("finish", summary="Returned the names."),)]
    return spoken(request, *steps[min(replies_before(request), 1)])


async def refused(story, repository, folder):
    answer = await story.engine.create(NewSpecTask(prompt="", path=repository, adopt=folder), ADA)
    assert isinstance(answer, Refusal), answer
    return answer


@pytest.mark.skipif(not probe().available, reason=probe().reason)
async def test_a_folder_of_kiro_is_carried_out_where_it_stands(tmp_path, repository):
    before = fingerprint(repository)
    async with world(tmp_path, repository, writing, repository_settings=CHECK) as story:
        await story.create("", adopt=repository / FOLDER)
        assert story.spectask.prompt == f"List of names: carry out the spec in {FOLDER}"
        assert (story.id.rpartition("-")[0], story.spectask.warnings, story.spectask.plans) == ("name-list", (), ())
        await story.implement()
        await story.until(lambda spectask: spectask.state == "implementation_review" and not spectask.uncommitted)
        sessions = [session.task for session in story.spectask.sessions.values()]
        assert sessions == ["2"]
        ticked = TASKS.replace(b"[ ] 2.", b"[x] 2.")
        for branch in ("specs", "feature"):
            held = {path: blob(repository, f"spectask/{story.id}/{branch}:{path}") for path in KIRO}
            assert held == {**KIRO, f"{FOLDER}/tasks.md": ticked}
        assert {path: (story.engine.desk_path(story.id) / path).read_bytes() for path in KIRO} == {**KIRO, f"{FOLDER}/tasks.md": ticked}
        diff = git(repository, "diff", "--numstat", "main", f"spectask/{story.id}/feature").splitlines()
        assert diff == [f"1\t1\t{FOLDER}/tasks.md", "1\t0\tnames.py"]
    assert fingerprint(repository) == before


async def test_what_is_not_committed_is_taken_from_the_disk_with_a_warning(tmp_path, repository):
    changed = DESIGN + b"\r\nTwo functions.\r\n"
    write_files(repository, {f"{FOLDER}/design.md": changed, ".specs/new/requirements.md": REQUIREMENTS, ".specs/new/tasks.md": TASKS})
    write_files(repository, {"README.md": "More.\n"})
    async with world(tmp_path, repository, writing) as story:
        await story.create("Carry it out", adopt=repository / FOLDER / "tasks.md")
        assert story.spectask.documents["design"].content == changed
        assert list(story.spectask.warnings) == [
            "Uncommitted changes are left out: README.md.",
            "Untracked files are left out: .specs/.",
            f"Taken over as they are on the disk, not as committed: {FOLDER}/design.md.",
        ]
        await story.create("Carry it out", adopt=repository / ".specs/new")
        assert (story.spectask.dialect, story.spectask.flow, story.spectask.prompt) == ("specthread", "quick", "Carry it out")
        assert "Untracked files are left out: .specs/ (but for what is adopted)." in story.spectask.warnings


async def test_what_git_converts_at_checkout_is_taken_as_it_is_committed(tmp_path, repository):
    path = f"{FOLDER}/design.md"
    git(repository, "config", "core.autocrlf", "true")
    commit_files(repository, {path: DESIGN.replace(b"\r\n", b"\n")}, "Unix")
    write_files(repository, {path: DESIGN})
    git(repository, "add", path)
    async with world(tmp_path, repository, writing) as story:
        await story.create("", adopt=repository / FOLDER)
        assert story.spectask.documents["design"].content == DESIGN.replace(b"\r\n", b"\n")


async def test_a_revision_is_told_the_dialect_and_keeps_the_form_of_the_file(tmp_path, repository):
    seen = []

    def revising(request):
        seen.append(opening(request))
        text = DESIGN.decode().replace("\r\n", "\n").replace("One module", "Two modules")
        steps = [(use("write_document", document="design", text=text),), (use("finish", summary="Revised."),)]
        return spoken(request, *steps[min(replies_before(request), 1)])

    async with world(tmp_path, repository, revising) as story:
        await story.create("", adopt=repository / FOLDER)
        await story.until(lambda spectask: not spectask.uncommitted)
        await story.give(c.RequestChanges(spectask=story.id, message="Two modules."))
        await story.until(lambda spectask: spectask.plans and spectask.state == "spec_review")
        assert "in the form of kiro" in seen[0]
        assert story.spectask.documents["design"].content == DESIGN.replace(b"One module", b"Two modules")


# --- what is refused


async def test_what_is_no_spec_folder_of_this_repository_is_refused(tmp_path, repository):
    write_files(tmp_path, {"elsewhere/tasks.md": TASKS, "elsewhere/requirements.md": REQUIREMENTS})
    (repository / "link").symlink_to(tmp_path / "elsewhere")
    inner = make_repository(repository / "inner", {})
    write_files(inner, {".kiro/specs/x/tasks.md": TASKS})
    write_files(repository, {"tasks.md": TASKS})
    async with world(tmp_path, repository, writing) as story:
        codes = {
            name: (await refused(story, repository, repository / name)).code
            for name in ("nothing", "README.md", ".kiro", ".", "link", "../elsewhere", "inner/.kiro/specs/x", ".git", "a\0b")
        }
    assert codes == {
        "nothing": "no-such-folder",
        "README.md": "no-spec-folder",
        ".kiro": "no-spec-folder",
        ".": "no-spec-folder",
        "link": "outside-repository",
        "../elsewhere": "outside-repository",
        "inner/.kiro/specs/x": "outside-repository",
        ".git": "no-spec-folder",
        "a\0b": "no-such-folder",
    }


@pytest.mark.parametrize("kind", ["link", "large", "binary", "folder"])
async def test_what_is_no_text_file_of_its_own_is_refused(tmp_path, repository, kind):
    tasks = repository / FOLDER / "tasks.md"
    tasks.unlink()
    if kind == "link":
        tasks.symlink_to("design.md")
    elif kind == "folder":
        tasks.mkdir()
    else:
        tasks.write_bytes(b"- [ ] 1. Much\n" * 400_000 if kind == "large" else b"- [ ] 1.\0\n")
    async with world(tmp_path, repository, writing) as story:
        answer = await refused(story, repository, repository / FOLDER)
    assert (answer.code, answer.message.startswith(f"{FOLDER}/tasks.md ")) == ("unreadable-document", True)


async def test_a_second_adoption_is_refused(tmp_path, repository):
    async with world(tmp_path, repository, writing) as story:
        await story.create("", adopt=repository / FOLDER)
        assert (await refused(story, repository, repository / FOLDER)).code == "already-adopted"


@pytest.mark.skipif(not probe().available, reason=probe().reason)
@pytest.mark.parametrize("named", [b"1.1", b"R1.1", b"R1"])
async def test_a_session_is_told_the_criteria_behind_its_task_however_they_are_named(tmp_path, repository, named):
    told = []

    def implementing(request):
        told.append(opening(request))
        return writing(request)

    files = {"requirements.md": REQUIREMENTS.replace(b"Requirement 1", b"R1: Names"), "tasks.md": TASKS.replace(b"1.1_", named + b"_")}
    commit_files(repository, {f".kiro/specs/other/{name}": content for name, content in files.items()}, "Another one")
    async with world(tmp_path, repository, implementing, repository_settings=CHECK) as story:
        await story.create("", adopt=repository / ".kiro/specs/other")
        await story.implement()
        await story.until(lambda spectask: spectask.state == "implementation_review" and not spectask.uncommitted)
    assert "- R1.1: WHEN a caller asks, THE module SHALL return the names." in told[0]


# --- a change of OpenSpec

CHANGE = "openspec/changes/add-names"
DELTA = "## ADDED Requirements\n\n### Requirement: {0}\nThe module SHALL {0}.\n\n#### Scenario: Asked\n- **WHEN** asked\n- **THEN** {0}\n"
CHANGED = {
    f"{CHANGE}/proposal.md": "# Why\n",
    f"{CHANGE}/tasks.md": "## 1. Names\n\n- [x] 1.1 Prepare\n- [ ] 1.2 Write `names.py`\n",
    f"{CHANGE}/specs/list/spec.md": DELTA.format("return names"),
    f"{CHANGE}/specs/user/greet/spec.md": DELTA.format("greet"),
    f"{CHANGE}/specs/user/notes.md": "# Notes\n",
}


@pytest.mark.skipif(not probe().available, reason=probe().reason)
@pytest.mark.parametrize("named", ["", "tasks.md", "specs/user/greet/spec.md"])
async def test_a_change_of_openspec_is_carried_out_with_all_its_deltas(tmp_path, repository, named):
    commit_files(repository, CHANGED, "A change")
    told = []

    def implementing(request):
        told.append(opening(request))
        return writing(request)

    async with world(tmp_path, repository, implementing, repository_settings=CHECK) as story:
        await story.create("", adopt=repository / CHANGE / named)
        assert (story.spectask.dialect, story.spectask.flow, story.spectask.adopted) == ("openspec", "quick", CHANGE)
        assert [warning for warning in story.spectask.warnings if "specs/user/notes.md" in warning]
        assert {name: document.path for name, document in story.spectask.documents.items()} == {
            "specs/list/spec": f"{CHANGE}/specs/list/spec.md",
            "specs/user/greet/spec": f"{CHANGE}/specs/user/greet/spec.md",
            "tasks": f"{CHANGE}/tasks.md",
        }
        await story.implement()
        await story.until(lambda spectask: spectask.state == "implementation_review" and not spectask.uncommitted)
        assert [session.task for session in story.spectask.sessions.values()] == ["1.2"]
        assert "**THEN** greet" in told[0]
        assert "**THEN** return names" in told[0]
        final = blob(repository, f"{story.spectask.final}:{CHANGE}/tasks.md")
        assert final == CHANGED[f"{CHANGE}/tasks.md"].replace("[ ]", "[x]").encode()
        view = spectask_view(story.engine.visible, story.spectask, desk="", target=TargetView(), now=story.spectask.created)
        assert [document.name for document in view.documents] == ["specs/list/spec", "specs/user/greet/spec", "tasks"]


async def test_a_change_is_known_by_its_place_in_the_repository_and_its_plan_is_a_design(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    repository = make_repository(tmp_path / "openspec", {"changes/add-x/tasks.md": "- [ ] 1.1 Do it\n"})
    commit_files(repository, {path.replace(CHANGE, "inner/openspec/changes/y"): text for path, text in CHANGED.items()}, "A change")
    commit_files(repository, {"inner/openspec/changes/y/plan.md": "# Plan\n"}, "A plan")
    async with world(tmp_path, repository, writing) as story:
        assert "lacks requirements" in (await refused(story, repository, repository / "changes/add-x")).message
        await story.create("", adopt=repository / "inner/openspec/changes/y")
        assert (story.spectask.flow, story.spectask.documents["design"].path) == ("feature", "inner/openspec/changes/y/plan.md")


async def test_the_deltas_of_a_change_are_revised_by_their_names(tmp_path, repository):
    commit_files(repository, CHANGED, "A change")

    def revising(request):
        text = DELTA.format("greet kindly")
        steps = [(use("write_document", document="specs/user/greet/spec", text=text),), (use("finish", summary="Revised."),)]
        return spoken(request, *steps[min(replies_before(request), 1)])

    async with world(tmp_path, repository, revising) as story:
        await story.create("", adopt=repository / CHANGE)
        await story.until(lambda spectask: not spectask.uncommitted)
        await story.give(c.RequestChanges(spectask=story.id, message="Kindly."))
        await story.until(lambda spectask: spectask.plans and spectask.state == "spec_review" and not spectask.uncommitted)
        assert story.spectask.documents["specs/user/greet/spec"].content == DELTA.format("greet kindly").encode()
        assert (
            git(repository, "show", f"{story.spectask.specs}:{CHANGE}/specs/user/greet/spec.md").strip()
            == DELTA.format("greet kindly").strip()
        )


# --- real folders


def _adoptable(folder: Path) -> bool:
    dialect, documents = documents_in(folder)
    names = {document_of(f"{name}.md") for name in documents}
    tasks = next((content for name, content in documents.items() if document_of(f"{name}.md") == "tasks"), b"")
    return bool(names & {"requirements", "bugfix"}) and bool(parse_tasks(tasks, dialect).tasks)


@needs_corpus
async def test_every_real_folder_with_tasks_and_requirements_can_be_adopted(tmp_path, repository):
    adoptable = [folder for folder in folders() if _adoptable(folder)]
    assert adoptable
    homes = {}
    for number, folder in enumerate(adoptable):
        for file in folder.rglob("*.md"):
            inside = file.relative_to(folder)
            home = Path(home_of(file)).parents[len(inside.parts) - 1]
            homes[folder] = home.with_name(f"{home.name}-{number}")
            write_files(repository, {str(homes[folder] / inside): file.read_bytes()})
    async with world(tmp_path, repository, writing) as story:
        for folder, place in homes.items():
            await story.create("", adopt=repository / place)
            await story.until(lambda spectask: not spectask.uncommitted)
            spectask = story.spectask
            assert (spectask.state, set(spectask.documents)) == ("spec_review", set(documents_of(spectask)))
            assert all(
                document.content == (folder / Path(document.path).relative_to(place)).read_bytes()
                for document in spectask.documents.values()
            )
            view = spectask_view(story.engine.visible, spectask, desk="", target=TargetView(), now=spectask.created)
            assert (view.adopted, view.dialect) == (str(place), spectask.dialect)
            assert review_documents(spectask)
