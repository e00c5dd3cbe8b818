import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.spec.wording import wording_of


def found(text, systems=()):
    return [(each.code.partition("/")[2], text[each.start : each.end]) for each in wording_of(text, systems)]


REPORTED = [
    ("THE cli SHALL print an appropriate message", [("vague", "appropriate")]),
    ("THE cli SHALL keep some rows", [("vague", "some")]),
    ("系统 SHALL 显示友好的提示", [("vague", "友好")]),
    ("システムは適切なメッセージを表示しなければならない", [("vague", "適切")]),
    ("El sistema DEBERÁ mostrar un mensaje adecuado", [("vague", "adecuado")]),
    ("THE cli SHALL retry if possible", [("escape", "if possible")]),
    ("THE cli SHALL sort the rows as\n   far as possible", [("escape", "as\n   far as possible")]),
    ("THE cli SHALL read JSON, YAML, etc.", [("open-ended", "etc.")]),
    ("THE cli SHALL read files including but not limited to JSON", [("open-ended", "including but not limited to")]),
    ("THE cli SHALL be able to print JSON", [("able-to", "SHALL be able to")]),
    ("THE cli **SHALL** be capable of printing JSON", [("able-to", "SHALL** be capable of")]),
    ("THE cli SHALL provide the ability to print JSON", [("able-to", "SHALL provide the ability to")]),
    ("WHEN asked, the draft SHALL be saved", [("passive", "SHALL be saved")]),
    ("THE row SHALL NOT be quietly dropped in April", [("passive", "SHALL NOT be quietly dropped"), ("negative", "SHALL NOT")]),
    ("THE cli SHALL log the error and continue", [("combinator", "and continue")]),
    ("THE cli SHALL save the draft to the disk and return the id", [("combinator", "and return")]),
    ("WHEN the parser reads a file, THE cli SHALL log a line and drop it", [("pronoun", "it")]),
    ("THE cli SHALL always print JSON", [("absolute", "always")]),
    ("THE cli SHALL reach 100 % availability", [("absolute", "100 % availability")]),
    ("THE cli SHALL answer quickly", [("unmeasured", "quickly")]),
    ("THE list SHALL stay responsive", [("unmeasured", "responsive")]),
    ("THE cli SHALL NOT store passwords", [("negative", "SHALL NOT")]),
    ("WHEN asked, the cli must print JSON", [("modal", "must")]),
    ("The cli should print JSON", [("modal", "should")]),
    ("If a user may read, then the cli will print JSON", [("modal", "will")]),
    ("System MUST keep the draft", [("modal", "MUST")]),
    ("WHEN asked, it SHALL print JSON", [("system", "it SHALL")]),
    ("WHEN asked THEN SHALL print JSON", [("system", "SHALL")]),
    ("SHALL print JSON", [("system", "SHALL")]),
]
SILENT = [
    "",
    "THE cli SHALL print JSON",
    "WHEN asked, THE `it` SHALL print JSON",
    'THE cli SHALL print "an appropriate message, if possible, etc."',
    "THE cli SHALL read `some` rows and [all](easy.md) columns",
    "THE cli SHALL print how many rows are left",
    "THE cli SHALL use Glacier Flexible Retrieval",
    "THE parser SHALL read file-easy names",
    "THE draft SHALL be saved by the server",
    "THE button SHALL be disabled",
    "THE file SHALL be unchanged",
    "THE cli SHALL print names and dates",
    "THE cli SHALL print the name and log level",
    "THE cli SHALL offer Add and Delete buttons",
    "THE cli SHALL allow the user to create and delete notes",
    "THE cli SHALL print a hint that asks the user to wait and retry",
    "WHEN a user deletes a photo, THE cli SHALL remove it",
    "THE cli SHALL answer quickly, within 200 ms",
    "THE cli SHALL print the line immediately before the error",
    "THE cli SHALL NOT exceed 5 MB",
    "IF the disk is full, THEN THE cli SHALL NOT save the draft",
    "THE cli SHALL NOT save a draft unless it changed",
    "THE cli SHALL keep the name and SHALL NOT keep the date",
    "WHEN a user can log in, THE cli SHALL say so",
    "A page that can be printed",
    "The validator never sees the gates",
    "**Given** a plan, **When** the user reads it, **Then** they can approve it",
    "Le système doit afficher un message facile et easy",
    "システムは some を表示しなければならない",
]


@pytest.mark.parametrize(("text", "expected"), REPORTED)
def test_what_is_reported_and_where(text, expected):
    assert found(text) == expected


@pytest.mark.parametrize("text", SILENT)
def test_where_the_rules_stay_silent(text):
    assert found(text) == []


def test_a_bare_system_is_reported_where_the_systems_have_names():
    text = "WHEN asked, THE system SHALL print JSON"
    assert found(text) == []
    assert found(text, ["Cli"]) == [("system", "THE system")]
    assert found(text, ["The System"]) == []
    assert found("WHEN asked, THE Cli SHALL print JSON", ["Cli"]) == []
    [report] = wording_of(text, ["Cli", "Server"])
    assert "Cli, Server" in report.message
    [report] = wording_of(text, ["{Cli"])
    assert "{Cli" in report.message


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("THE cli SHALL be able to print", "THE cli SHALL print"),
        ("the cli shall be  able to print", "the cli shall print"),
        ("The cli must print", "The cli SHALL print"),
        ("The cli will print", "The cli SHALL print"),
        ("The cli may print", None),
        ("The cli should print", None),
        ("The user SHALL be able to print", None),
        ("THE cli SHALL print soon", None),
    ],
)
def test_a_fix_stands_only_where_the_meaning_is_plain(text, mended):
    [report] = wording_of(text)
    assert mended == (None if report.fix is None else text[: report.start] + report.fix + text[report.end :])


@pytest.mark.parametrize("text", [text for text, _ in REPORTED])
def test_messages_are_full_sentences(text):
    for report in wording_of(text):
        assert report.message[0] in "“AN"
        assert report.message.endswith((".", "…”."))
        assert "{" not in report.message


WORDS = st.sampled_from(
    [
        "THE",
        "cli",
        "SHALL",
        "be",
        "able",
        "to",
        "and",
        "return",
        "the",
        "it",
        "*",
        "`",
        '"',
        "“",
        "must",
        ",",
        "WHEN",
        "THEN",
        "\n",
        "etc.",
        "系统",
        "適切",
    ]
)


@given(st.one_of(st.text(), st.lists(WORDS).map(" ".join)), st.lists(st.text()))
def test_any_text_is_judged_and_every_finding_lies_inside_it(text, systems):
    for report in wording_of(text, systems):
        assert 0 <= report.start < report.end <= len(text)
        assert report.message


@pytest.mark.parametrize("text", ["“" * 5_000, "when then " * 2_000, "SHALL" + "*" * 5_000 + "and", "THE cli SHALL " + "x and " * 2_000])
def test_long_hostile_text_is_judged_in_time(text):
    assert len(list(wording_of(text))) <= 1
