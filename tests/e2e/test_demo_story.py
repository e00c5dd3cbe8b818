from __future__ import annotations

from pathlib import Path

import pytest

from specthread.agents.backend import Assignment, Message, ModelRequest, RunPort, Text, ToolResult, ToolUse
from specthread.agents.conversation import INTERRUPTED
from specthread.agents.demo import Seen, demo_backend, next_step
from specthread.agents.demo import human as h
from specthread.agents.demo.implementer import MOST_FIRST, resolved
from specthread.agents.demo.material import text_of
from specthread.agents.demo.planner import VAGUE
from specthread.agents.demo.story import demo_story
from specthread.agents.tools import FINISH, WorkspaceTools
from specthread.domain.names import document_names
from specthread.spec.document import DocumentName
from specthread.spec.lint import lint

DOCUMENTS = {DocumentName(name): text_of(f"{name}.md").encode() for name in document_names("feature")}


def request(opening: str, *said: tuple[ToolUse, ToolResult], role: str = "implementer") -> ModelRequest:
    messages = [Message(role="user", content=(Text(text=opening),))]
    for call, result in said:
        messages += [Message(role="assistant", content=(call,)), Message(role="user", content=(result,))]
    return ModelRequest(
        run="x/ws-1", role=role, turn=len(said) + 1, model="demo", system="", messages=tuple(messages), tools=(), max_tokens=1
    )


def calls(asked: ModelRequest) -> list[ToolUse]:
    reply = demo_story(asked)
    assert reply is not None
    return [block for block in reply.content if isinstance(block, ToolUse)]


def done(call: ToolUse, content: str = "", *, wrong: bool = False) -> tuple[ToolUse, ToolResult]:
    return call, ToolResult(tool_use_id=call.id, content=content, is_error=wrong)


def test_the_documents_are_clean():
    assert lint(DOCUMENTS) == ()


def test_the_first_draft_has_the_one_finding_that_the_planner_mends():
    opening = "Write the spec for this request."
    asked = request(opening, role="planner")
    first = [done(call) for call in calls(asked)]
    (draft,) = calls(request(opening, *first, role="planner"))
    found = lint({DocumentName("requirements"): draft.input["text"].encode()})
    assert [problem.code for problem in found] == ["ears/separator"]
    (mended,) = calls(request(opening, *first, done(draft), role="planner"))
    assert mended.input["text"] == text_of("requirements.md")


def test_the_words_that_the_human_comments_on_and_edits_are_in_the_requirements():
    requirements = text_of("requirements.md")
    assert requirements.count(VAGUE) == 1
    assert requirements.count(h.PLAIN) == 1


def test_both_orders_of_a_conflict_are_settled_alike():
    ours, theirs = "import b\n", "import a\n"
    conflict = "head\n<<<<<<< ours\n{}=======\n{}>>>>>>> theirs\ntail\n"
    assert resolved(conflict.format(ours, theirs)) == resolved(conflict.format(theirs, ours)) == "head\nimport a\nimport b\ntail\n"
    assert resolved("nothing to settle\n") == "nothing to settle\n"


def beginning() -> tuple[list[tuple[ToolUse, ToolResult]], list[ToolUse]]:
    """Returns task 1 up to the beat that edits the shared file, and that beat's calls."""
    said: list[tuple[ToolUse, ToolResult]] = []
    while True:
        following = calls(request("# Task 1: x", *said))
        if any(call.name == "edit" for call in following):
            return said, following
        said += [done(call) for call in following]


def test_a_change_that_was_interrupted_is_tried_again_after_the_file_was_read_again():
    said, (write, *edits) = beginning()
    said += [done(write), *(done(edit, INTERRUPTED, wrong=True) for edit in edits)]
    (look,) = calls(request("# Task 1: x", *said))
    assert (look.name, look.input["path"]) == ("read", edits[0].input["path"])
    untouched = done(look, f"     1\t{edits[0].input['old']}".rstrip("\n"))
    assert [call.input for call in calls(request("# Task 1: x", *said, untouched))] == [edit.input for edit in edits]


def test_an_interrupted_change_that_took_effect_is_not_made_twice():
    said, (write, *edits) = beginning()
    said += [done(write), *(done(edit, INTERRUPTED, wrong=True) for edit in edits)]
    (look,) = calls(request("# Task 1: x", *said))
    changed = done(look, "\n".join(f"{number:>6}\t{line}" for number, line in enumerate(edits[0].input["new"].splitlines(), 1)))
    assert [call.input for call in calls(request("# Task 1: x", *said, changed))] == [edit.input for edit in edits[1:]]


def test_a_task_that_is_not_the_demos_has_no_script():
    assert demo_story(request("# Task 9: Something of the user's own")) is None


async def test_the_demos_agent_refuses_any_repository_but_the_toy_one(tmp_path: Path):
    (tmp_path / "README.md").write_text("# My own project\n")
    toolbox = WorkspaceTools.for_reading(root=tmp_path, shown_root="/a/project/of/ones/own")
    assignment = Assignment(run="x/plan-1", role="planner", system="", opening="", model="demo", tools=(FINISH,))
    end = await demo_backend().run(assignment, NoPort(), toolbox)
    assert end.kind == "failed"
    assert end.reason.startswith("DEMO: this agent follows a script and works only in the toy repository")


class NoPort(RunPort):
    """Is a port that nobody may use."""


def seen(**changed: object) -> Seen:
    documents = {name: (content.decode(), "d" * 64) for name, content in DOCUMENTS.items()}
    first = {"state": "spec_review", "plans": 1, "documents": documents, "commented": False, "approved": False}
    return Seen(**{**first, "question": "", "final": "", "accepted": False, **changed})


EDITED = {**seen().documents, "requirements": (text_of("requirements.md").replace(h.PLAIN, h.EDITED), "e" * 64)}


@pytest.mark.parametrize(
    ("visible", "step"),
    [
        (seen(state="planning", plans=0, documents={}), type(None)),
        (seen(), h.Comment),
        (seen(commented=True), h.Save),
        (seen(commented=True, documents=EDITED), h.RequestChanges),
        (seen(state="revising", commented=True), type(None)),
        (seen(plans=2, commented=True, documents=EDITED), h.Approve),
        (seen(plans=2, commented=True, documents=EDITED, approved=True), type(None)),
        (seen(state="approved", plans=2, approved=True), h.Run),
        (seen(state="implementing", plans=2), type(None)),
        (seen(state="implementing", plans=2, question="x/ws-2"), h.Answer),
        (seen(state="implementation_review", plans=2, final="a" * 40), h.Accept),
        (seen(state="implementation_review", plans=2, final="a" * 40, accepted=True), type(None)),
        (seen(state="done", plans=2, accepted=True), type(None)),
    ],
)
def test_the_human_decides_from_what_is_visible(visible: Seen, step: type):
    assert type(next_step(visible)) is step


def test_the_human_answers_with_one_of_the_choices():
    assert next_step(seen(question="x/ws-2")) == h.Answer(run="x/ws-2", text=MOST_FIRST)
