"""Plans for three real projects, by a model that first gets most of it wrong: what is committed lints clean, or the person is told why not."""

import importlib.metadata
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import specthread
from specthread.agents.messages_api import MessagesApiModel
from specthread.agents.retry import MODEL
from specthread.domain.names import document_names
from specthread.plan.findings import findings
from specthread.spec.lint import lint
from specthread.views.progress import needs
from support.engine_world import world
from support.fake_messages_api import Break, FakeMessagesApi, Line, use
from support.git_fixture import git, isolate_git, make_repository

AT_ONCE = replace(MODEL, base=0.0)


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project, what is asked of it, and where in it the work lies; `known` stands in the first file."""

    flow: str
    prompt: str
    system: str
    files: tuple[str, str]
    known: str
    check: str = "python -m pytest -q tests/test_{}.py"


PROJECTS = {
    "iniconfig": Project(
        flow="bugfix",
        prompt="A file that begins with a byte order mark cannot be parsed.",
        system="parser",
        files=("iniconfig/_parse.py", "iniconfig/exceptions.py"),
        known="class ParsedLine",
    ),
    "pluggy": Project(
        flow="feature",
        prompt="Let a plugin manager list the hooks that nobody implements.",
        system="plugin manager",
        files=("pluggy/_manager.py", "pluggy/_tracing.py"),
        known="class PluginManager",
    ),
    "specthread": Project(
        flow="refactor",
        prompt="Part the renderer by document.",
        system="renderer",
        files=("server/specthread/spec/render.py", "server/specthread/spec/format.py"),
        known="def render_requirements",
        check="regression",
    ),
}


def files_of(name):
    """Returns the files of a project as they lie here: ours, or those of a package that is installed."""
    if name == "specthread":
        root = Path(specthread.__file__).parents[2]
        paths = [root / "pyproject.toml", root / "ARCHITECTURE.md", root / "CONTRIBUTING.md"]
        paths += [path for path in (root / "server").rglob("*") if path.suffix in {".py", ".md"}]
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}
    found = {file.as_posix(): Path(file.locate()) for file in importlib.metadata.files(name) or ()}
    return {path: place.read_bytes() for path, place in found.items() if path.startswith(f"{name}/") and path.endswith((".py", ".typed"))}


def required(project, *, clean):
    """Returns the call that says what is required: with every sentence in form, or with one that nobody can test."""
    response = "return the answer" if clean else "handle it appropriately, if possible"
    sentence = f"WHEN a caller passes a value, THE {project.system} {'SHALL' if clean else 'should'} {response}."
    kept = f"WHEN a caller passes nothing, THE {project.system} SHALL CONTINUE TO raise TypeError."
    if project.flow == "bugfix":
        now = f"WHEN a caller passes a value, THEN the {project.system} raises ValueError."
        return use("write_bugfix", introduction=project.prompt, current=[now], expected=[sentence], unchanged=[kept])
    story = "As a caller, I want the answer, so that I can go on."
    found = [{"title": "The answer", "story": story, "criteria": [sentence, kept]}]
    return use("write_requirements", introduction=project.prompt, requirements=found)


def task(project, number, **given):
    criteria = [["1.1", "2.1"], ["3.1"]] if project.flow == "bugfix" else [["1.1"], ["1.2"]]
    known = {
        "title": f"Change {project.files[number - 1]}",
        "requirements": criteria[number - 1],
        "depends": [],
        "files": [project.files[number - 1], f"tests/test_{number}.py"],
        "check": project.check.format(number),
    }
    return {**known, **given}


def tasks(*given):
    return use("write_tasks", tasks=list(given))


def script(project):
    """Returns what the model says up to a plan that is not clean: a call cut in the middle of its JSON, JSON in a string, ids that dangle, a circle."""
    first = required(project, clean=False)
    listed = "current" if project.flow == "bugfix" else "requirements"
    in_a_string = {**first, "input": {**first["input"], listed: '[{"title": "The ans'}}
    said = [
        (in_a_string,),
        (first,),
        (use("write_design", sections=[{"title": "Overview", "text": f"All of it is in `{project.files[0]}`."}]),),
        (tasks(task(project, 1, requirements=["7.7"]), task(project, 2, depends=["9"])),),
        (tasks(task(project, 1, depends=["2"]), task(project, 2, depends=["1"])),),
        (tasks(task(project, 1), task(project, 2, files=[project.files[0]])),),
        (use("finish", summary="Planned."),),
    ]
    return [
        Line(when="", content=(use("read", path=project.files[0]), use("search", pattern=project.known))),
        Line(when="", content=(first,), fault=Break(how="eof", at=9)),
        *(Line(when="", content=content) for content in said),
    ]


ANSWERS = (
    "{file}:",
    "must be of type array, and not JSON inside a string",
    "error ears/modal",
    "design is written; the linter finds nothing wrong.",
    "`tasks[0].requirements` names 7.7, which is not there",
    "wait for each other in a circle",
    "tasks: 1 and 2 may run at the same time and both name {file}",
    "The documents are not ready.",
)


async def planned(tmp_path, monkeypatch, name, lines):
    """Plans for a project; returns the SpecTask, what the model was answered, and the documents as git holds them."""
    isolate_git(monkeypatch, tmp_path / "home")
    checkout = make_repository(tmp_path / "checkout", files_of(name))
    project = PROJECTS[name]
    async with FakeMessagesApi(lines) as api:
        model = MessagesApiModel(api_key="k", base_url=api.url)
        async with world(tmp_path, checkout, None, model=model, retry=AT_ONCE) as story:
            await story.create(prompt=project.prompt, flow=project.flow)
            await story.until(lambda spectask: spectask.state == "spec_review" and not spectask.uncommitted)
            spectask = story.spectask
        await model.close()
        assert not api.unused()
    ref = f"spectask/{spectask.id}/specs:.specs/{spectask.id}"
    committed = {document: git(checkout, "show", f"{ref}/{document}.md").encode() + b"\n" for document in document_names(project.flow)}
    said = [request.body["messages"][-1]["content"] for request in api.requests]
    answers = ["\n".join(str(block.get("content") or block.get("text")) for block in blocks) for blocks in said]
    return spectask, answers, committed


@pytest.mark.parametrize("name", PROJECTS)
async def test_a_plan_that_is_mended_is_committed_without_a_finding(tmp_path, monkeypatch, name):
    project = PROJECTS[name]
    mended = (required(project, clean=True), tasks(task(project, 1), task(project, 2)))
    lines = [*script(project), Line(when="", content=mended), Line(when="", content=(use("finish", summary="Mended."),))]
    spectask, answers, committed = await planned(tmp_path, monkeypatch, name, lines)
    assert answers[1] == answers[2]  # what was cut is asked for again, and nothing came of it
    for expected, answer in zip(ANSWERS, [answers[1], *answers[3:]], strict=False):
        assert expected.format(file=project.files[0]) in answer
    assert lint(committed) == ()
    assert findings(committed, "specthread", project.flow) == ()
    assert spectask.plans[-1].unclean == ""
    assert needs(spectask)[0].text == f"To be approved: {', '.join(document_names(project.flow))}."


@pytest.mark.parametrize("name", PROJECTS)
async def test_a_person_is_told_why_a_plan_that_is_not_mended_is_not_clean(tmp_path, monkeypatch, name):
    again = Line(when="", content=(use("finish", summary="It is fine."),), times=2)
    spectask, _, committed = await planned(tmp_path, monkeypatch, name, [*script(PROJECTS[name]), again])
    (first, *_) = findings(committed, "specthread", PROJECTS[name].flow)
    assert spectask.plans[-1].unclean == first
    assert f"Documents not clean: {first}" in needs(spectask)[0].text
