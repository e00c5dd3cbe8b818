"""Files that say what a role is told, which model it has and what it may use."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.agents.prompts import system_prompt
from specthread.agents.role_file import CHOOSABLE, RoleFile, own_roles, read_role
from specthread.spec.role import ROLES

FULL = """---
description: Looks for holes
model: claude-opus-5-5
effort: high
tools: [read, search, shell]
max_turns: 20
max_tokens: 8000
---

Think of an attacker.

Say what you found.
"""


def test_a_file_says_model_effort_tools_limits_and_words():
    assert read_role(FULL) == RoleFile(
        description="Looks for holes",
        model="claude-opus-5-5",
        effort="high",
        tools=("read", "search", "shell"),
        max_turns=20,
        max_tokens=8000,
        prompt="Think of an attacker.\n\nSay what you found.",
    )


@pytest.mark.parametrize("text", [FULL.replace("\n", "\r\n"), "\ufeff" + FULL, FULL.replace("[read, search, shell]", "read, search,shell")])
def test_it_may_come_from_any_editor_and_name_tools_as_others_do(text):
    assert read_role(text) == read_role(FULL)


@pytest.mark.parametrize("text", ["Think.\n", "---\n---\nThink.\n", "---\n# nothing\n---\n\nThink."])
def test_what_it_does_not_say_is_left_to_the_settings(text):
    assert read_role(text) == RoleFile(prompt="Think.")


@pytest.mark.parametrize(
    ("front", "words"),
    [
        ("model: 3", "`model` is not what it must be: Expected `str | null`, got `int`."),
        ("modle: x", "`modle` means nothing in front matter; it may have description, agent, model, effort, tools, max_turns, max_tokens."),
        ("tools: read, serch", "There is no tool `serch`. The tools are read, search, edit, write, shell, lock, unlock, coordinate, ask."),
        ("max_turns: 0", "`max_turns` is not what it must be: Expected `int` >= 1."),
        ("effort: huge", "`effort` is not what it must be: Invalid enum value 'huge'."),
        ("model: [", "Its front matter is not valid YAML: while parsing a flow node."),
        ("- a", "Its front matter must be lines such as `model: claude-opus-5-5`; the prompt is the text below it."),
        ("prompt: x", "Its front matter must be lines such as `model: claude-opus-5-5`; the prompt is the text below it."),
        ("x: !!python/object/apply:os.getcwd []", "Its front matter is not valid YAML: could not determine a constructor for the tag"),
    ],
)
def test_what_cannot_be_used_is_told_in_a_sentence(front, words):
    with pytest.raises(ValueError, match=f"^{re.escape(words)}"):
        read_role(f"---\n{front}\n---\nThink.\n")


def test_front_matter_without_an_end_is_told():
    with pytest.raises(ValueError, match="has no end"):
        read_role("---\nmodel: x\n")


@given(st.text(alphabet="-:\n ab[]{}&*!|>'\"#%@`\t", max_size=60))
def test_whatever_is_written_is_read_or_told(text):
    for whole in (text, f"---\n{text}\n---\n"):
        try:
            assert isinstance(read_role(whole), RoleFile)
        except ValueError as fault:
            assert str(fault).endswith(".")  # noqa: PT017  any sentence will do


def test_each_role_has_a_file_of_its_own_and_each_says_what_it_is_for():
    assert set(own_roles()) == {"planner", *ROLES}
    assert all(role.description for role in own_roles().values())
    assert all(set(role.tools or ()) <= {tool.name for tool in CHOOSABLE} for role in own_roles().values())


def test_a_role_is_told_what_all_are_told_and_then_what_its_file_says():
    common = system_prompt("implementer")
    assert system_prompt("tester") == f"{common}\n# Your role: tester\n\n{own_roles()['tester'].prompt}\n"
    assert system_prompt("tester", "Think.") == f"{common}\n# Your role: tester\n\nThink.\n"
    assert system_prompt("poet") == f"{common}\nYour role in this task: poet.\n"
    assert system_prompt("planner", "Be short.").startswith(system_prompt("planner"))
