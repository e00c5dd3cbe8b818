"""What the features answer at marked places: one file of `data` for each story."""

from pathlib import Path

import pytest

from specthread.views.assist.calls import incoming, outgoing, prepared
from specthread.views.assist.card import markdown
from specthread.views.assist.completion import completions
from specthread.views.assist.folding import folds
from specthread.views.assist.hints import hints
from specthread.views.assist.hover import hover
from specthread.views.assist.linking import links
from specthread.views.assist.navigate import definitions, highlights, references
from specthread.views.assist.outline import outline
from specthread.views.assist.selection import selections
from specthread.views.assist.tokens import tokens
from support.golden import answered, read_golden

CASES = sorted((Path(__file__).parent / "data").glob("*.txt"))


def text_at(cursor, name, span):
    return cursor.index.lines(name)[span.line - 1].text[span.start : span.end]


def told(cursor):
    found = hover(cursor, {"2": "ws-1 running"})
    if found is None:
        return "nothing"
    about = f"about “{text_at(cursor, cursor.name, found.span)}”"
    return "\n".join((about, *(line for card in found.cards for line in markdown(card).splitlines() if line)))


def places(feature):
    def listed(cursor):
        return "\n".join(
            f"{each.document}.md:{each.span.line}:{each.span.start} {text_at(cursor, each.document, each.span)}"
            + ("  defined" if each.is_definition else "")
            for each in feature(cursor)
        )

    return listed


def outlined(cursor):
    def lines(entries, indent):
        for each in entries:
            detail = f" ({each.detail})" if each.detail else ""
            yield f"{indent}{each.line}-{each.last} {each.kind} “{each.name}”{detail} at “{text_at(cursor, cursor.name, each.span)}”"
            yield from lines(each.parts, f"{indent}  ")

    return "\n".join(lines(outline(cursor.index, cursor.name), ""))


def folded(cursor):
    return "\n".join(f"{fold.first}-{fold.last} {fold.kind}" for fold in folds(cursor.index, cursor.name))


def selected(cursor):
    def text(area):
        lines = [line.text for line in cursor.index.lines(cursor.name)]
        if area.start[0] == area.end[0]:
            return lines[area.start[0] - 1][area.start[1] : area.end[1]]
        return f"lines {area.start[0]}-{area.end[0]}"

    return "\n".join(text(area) for area in selections(cursor))


def linked(cursor):
    return "\n".join(f"{each.span.line}:{each.span.start} {each.path} ({each.origin})" for each in links(cursor.index, cursor.name))


def completed(cursor):
    return "\n".join(
        f"{each.label} | {each.detail} | replaces {each.replaces.start}-{each.replaces.end} by {each.text!r}"
        + (" as a template" if each.is_template else "")
        for each in completions(cursor)
    )


def hinted(cursor):
    return "\n".join(f"{each.line} {each.words} ({each.tip})" for each in hints(cursor.index, cursor.name, {"2": "ws-1 running"}))


def coloured(cursor):
    return "\n".join(
        f"{each.span.line}:{each.span.start} {each.kind}{' defined' if each.is_definition else ''} “{text_at(cursor, cursor.name, each.span)}”"
        for each in tokens(cursor.index, cursor.name)
    )


def called(cursor):
    def lines():
        for task in prepared(cursor):
            yield f"{task.id} {task.title}"
            for word, calls in (
                ("waits for", outgoing(cursor.index, task.id)),
                ("is waited for by", incoming(cursor.index, task.id)),
            ):
                for call in calls:
                    yield f"  {word} {call.task.id}, line {call.places[0].line} “{text_at(cursor, cursor.name, call.places[0])}”"

    return "\n".join(lines())


FEATURES = {
    "hover": told,
    "definition": places(definitions),
    "references": places(references),
    "highlight": places(highlights),
    "outline": outlined,
    "folds": folded,
    "selection": selected,
    "links": linked,
    "completion": completed,
    "hints": hinted,
    "tokens": coloured,
    "calls": called,
}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_feature_answers_as_it_is_written(path):
    expected, given = answered(path, FEATURES)
    assert given == expected


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_case_says_why_it_exists(path):
    assert read_golden(path).why.endswith(".")


def test_every_feature_has_a_case():
    assert {name for path in CASES for name in read_golden(path).answers} == FEATURES.keys()
