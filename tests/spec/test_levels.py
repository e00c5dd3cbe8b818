import pytest

from specthread.spec.document import Problem, Span
from specthread.spec.levels import AS_WRITTEN, leveled, levels_of

CODES = ("ears/form", "ears/modal", "wording/vague")


def found(code, severity="error"):
    return Problem(code, severity, "x", Span(1, 0, 1))


def graded(entries):
    levels, complaints = levels_of(entries.items(), CODES)
    assert not complaints
    return {problem.code: problem.severity for problem in leveled([found(code) for code in CODES], levels)}


def test_without_a_choice_every_problem_stays_as_it_is():
    problems = [found("ears/form"), found("wording/vague", "info")]
    assert leveled(problems, AS_WRITTEN) == problems


def test_a_code_that_is_off_is_not_reported():
    assert graded({"ears/form": "off"}) == {"ears/modal": "error", "wording/vague": "error"}


def test_a_group_counts_for_its_codes_and_a_code_counts_before_its_group():
    assert graded({"ears": "info", "ears/modal": "warning"}) == {"ears/form": "info", "ears/modal": "warning", "wording/vague": "error"}


@pytest.mark.parametrize("name", ["ears/*", "EARS", " ears/ "])
def test_a_group_may_be_spelled_as_in_a_comment(name):
    assert graded({name: "off"}) == {"wording/vague": "error"}


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ([("ears/frm", "off")], "There is no code or group `ears/frm`. Did you mean `ears/form`?"),
        ([("ears/form", "loud")], "`ears/form` must be one of off, info, warning, error, not 'loud'."),
        ([("ears/form", 3)], "not 3."),
        ([("ears", "off"), ("ears/*", "info")], "`ears/*` and `ears` are the same"),
    ],
)
def test_an_entry_that_cannot_be_meant_is_told_and_left_out(entries, sentence):
    levels, complaints = levels_of(entries, CODES)
    assert [sentence in each.message for each in complaints] == [True]
    assert len(levels.chosen) == len(entries) - 1
