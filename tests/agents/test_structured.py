import pytest

from specthread.agents.backend import Reply, Text, ToolSpec, ToolUse, Usage
from specthread.agents.structured import AnswerUnfit, answer_of, mismatch
from specthread.agents.toolspecs import problem_with

VERDICT = {
    "type": "object",
    "properties": {
        "criteria": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {"id": {"type": "string"}, "verdict": {"type": "string", "enum": ["met", "unmet"]}, "line": {"type": ["integer", "null"]}},
                "required": ["id", "verdict"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["criteria"],
    "additionalProperties": False,
}  # fmt: skip
GOOD = {"criteria": [{"id": "1.1", "verdict": "met", "line": None}]}
AS_TEXT = '{"criteria": [{"id": "1.1", "verdict": "met", "line": null}]}'


def reply(*content, stop_reason="end_turn", refusal=""):
    return Reply(content=content, stop_reason=stop_reason, usage=Usage(), request_id="r", model="m", refusal=refusal)


@pytest.mark.parametrize(
    "content",
    [
        (Text(text=AS_TEXT),),
        (Text(text=AS_TEXT[:20]), Text(text=AS_TEXT[20:])),
        (Text(text=f"Here it is:\n\n```json\n{AS_TEXT}\n```\n"),),
        (Text(text="Let me answer."), ToolUse(id="t1", name="answer", input=GOOD)),
    ],
)
def test_an_answer_is_read_however_its_server_lets_the_model_give_it(content):
    assert answer_of(reply(*content), VERDICT) == GOOD


@pytest.mark.parametrize(
    ("text", "stop_reason", "said"),
    [
        (AS_TEXT, "max_tokens", "There is no answer: the answer was cut off, because it was longer than the reply may be."),
        (AS_TEXT, "refusal", "There is no answer: the model refused to answer (cyber)."),
        ("  ", "end_turn", "There is no answer: the reply holds no text."),
        (AS_TEXT[:-9], "end_turn", "The answer is not JSON: it breaks off or is malformed at line 1."),
        ("[" * 100_000, "end_turn", "The answer is not JSON: it breaks off or is malformed."),
        ("[]", "end_turn", "The answer does not have the form that was asked for: `answer` must be of type object."),
    ],
)
def test_a_reply_that_holds_no_fitting_answer_says_why_in_one_sentence(text, stop_reason, said):
    with pytest.raises(AnswerUnfit) as caught:
        answer_of(reply(Text(text=text), stop_reason=stop_reason, refusal="cyber" if stop_reason == "refusal" else ""), VERDICT)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({}, "`answer` must be an object with `criteria`"),
        ({"criteria": []}, "`answer.criteria` must be a list of at least 1 entries"),
        ({"criteria": GOOD["criteria"], "more": 1}, "`answer` must be an object without `more`: it takes `criteria`"),
        ({"criteria": "1.1"}, "`answer.criteria` must be of type array, and not JSON inside a string"),
        ({"criteria": [{"id": "1", "verdict": "met"}, {"id": 2, "verdict": "met"}]}, "`answer.criteria[1].id` must be of type string"),
        ({"criteria": [{"id": "1", "verdict": "perhaps"}]}, "`answer.criteria[0].verdict` must be one of `met`, `unmet`"),
        ({"criteria": [{"id": "1", "verdict": "met", "line": True}]}, "`answer.criteria[0].line` must be of type integer or null"),
        ({"criteria": [{"id": "1", "verdict": "met", "line": 3}]}, ""),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(value, said):
    assert mismatch(VERDICT, value) == said


WIDE = {
    "type": "object",
    "properties": {
        "where": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "names": {"type": "array", "minItems": 1},
        "more": {"type": "object"},
        "any": {},
    },
    "required": [],
}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"where": None, "names": ["a", 1], "more": {"x": 1}, "any": [True]}, None),
        ({"where": 1}, "`where` of `look` must be of type string."),
        ({"names": []}, "`names` of `look` must be a list of at least 1 entries."),
    ],
)
def test_the_input_of_a_tool_is_looked_at_in_the_same_way(given, said):
    tool = ToolSpec(name="look", description="Looks.", schema=WIDE)
    assert problem_with([tool], ToolUse(id="t1", name="look", input=given)) == said
    assert bool(mismatch(WIDE, given)) == (said is not None)
