"""The normal form of documents in our own dialect: nothing but white space changes, and never in code, comments or front matter.

Blanks at the end of a line go, except the two of a hard line break; one blank line stands around headings and in front of a list; boxes read `- [ ] 1. title`,
subtasks step in by two blanks, lists of ids have one blank behind each comma; one newline ends the document. Words, ids and order stay, and what is read from
the document stays the same; where a change would not leave it so, and where lines end in a lone carriage return, the document is left alone.

The content digest of `digest.py` counts white space within lines, at their ends, and blank lines. So a document whose form changes has another digest, and an
approval of it must be given anew; formatting a document that has its normal form changes nothing.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from specthread.spec.boxes import read_box
from specthread.spec.bugfix import bugfix_of
from specthread.spec.document import Change
from specthread.spec.facts import read_facts
from specthread.spec.properties import properties_of
from specthread.spec.requirements import requirements_of
from specthread.spec.source import Line, Source, scan
from specthread.spec.tasks import tasks_of


def format_changes(source: Source) -> tuple[Change, ...]:
    """The changes that bring a document into its normal form, each within one line or between two, in order."""
    if any(line.ending == "\r" for line in source.lines):
        return ()  # a newline put behind one would become part of it
    texts = _line_texts(source)
    changes = (*_within_lines(source, texts), *_between_lines(source.lines, texts))
    changes = tuple(sorted(changes, key=lambda change: change.start))
    return changes if _outline(scan(source.changed(changes))) == _outline(source) else ()


def _outline(source: Source) -> object:
    """What is read from a document, whichever it is, without places."""
    tasks = tuple(
        (
            task.id,
            task.title,
            task.detail.split(),
            task.state_raw,
            task.parent,
            task.depends,
            task.requires,
            task.files,
            task.uses,
            task.check,
            task.role,
            task.when,
            task.section,
        )
        for task in tasks_of(source).tasks
    )
    requirements = tuple(
        (each.id, each.title, each.story, tuple((one.id, one.text, one.name) for one in each.criteria))
        for each in (*requirements_of(source).requirements, *bugfix_of(source).requirements)
    )
    properties = tuple((each.id, each.title, tuple(one.ids for one in each.validates)) for each in properties_of(source))
    return tasks, requirements, properties, tuple(line.mark for line in source.lines if line.text.strip(" \t"))


# --- within lines ---------------------------------------------------------------------------------------------------------


def _line_texts(source: Source) -> list[str]:
    """Every line in its normal form."""
    indents = _indents(source)
    lines = source.lines
    texts: list[str] = []
    for index, line in enumerate(lines):
        text = line.text
        if not line.hidden:
            following = lines[index + 1] if index + 1 < len(lines) else None
            text = indents.get(index, _leading(text)) + _spaced(line)[len(_leading(text)) :]
            text = text.rstrip(" \t") + ("  " if _is_broken(line, following) else "")
        texts.append(text)
    return texts


def _is_broken(line: Line, following: Line | None) -> bool:
    """Whether the line ends in a hard line break that a reader sees: two blanks in front of more of the same paragraph."""
    if not line.text.endswith("  ") or not line.text.strip(" \t") or line.heading or following is None or following.hidden:
        return False
    return bool(following.text.strip(" \t")) and following.heading is None and _ITEM.match(following.text) is None


def _spaced(line: Line) -> str:
    text = line.text
    box = read_box(line)
    if box is not None and box.id is not None:
        head = _BOX_HEAD.match(text)
        behind = _NUMBER_END.match(text, box.start + len(box.id))
        if head and behind:
            between = text[head.end() : box.start + len(box.id)]
            return f"{head['indent']}{head['bullet']} {head['box']} {between}{behind['sign']} {text[behind.end() :]}".rstrip(" ")
        return text
    return _spaced_fact(line) if "_" in text else text


def _spaced_fact(line: Line) -> str:
    """The line with one blank behind the label and behind every comma of its lists of ids."""
    text = line.text
    facts = [fact for fact in read_facts([line]) if not fact.continued]
    for fact in reversed(facts):
        if fact.label in {"requirements", "depends", "validates"}:
            start = fact.span.start
            label = len(text[:start].rstrip(" \t"))
            value = _COMMA.sub(", ", fact.value)
            space = " " if value and text[label - 1] in ":*" else text[label:start]
            rest = text[fact.span.end :]
            rest = rest.lstrip(" \t") if value and rest.lstrip(" \t").startswith("_") else rest
            text = text[:label] + space + value + rest
    return text


_ITEM = re.compile(r"[ \t]*(?:[-*+]|[0-9]{1,9}[.)])(?:[ \t]|$)")
_BOX_HEAD = re.compile(r"(?P<indent>[ \t]*)(?P<bullet>[-*+])[ \t]+(?P<box>\[.\](?:\\?\*)?)[ \t]+")
_NUMBER_END = re.compile(r"(?P<sign>\\?[.):\uff1a]?(?:\*\*|\\?\*)?)[ \t]+")
_COMMA = re.compile(r"[ \t]*,[ \t]*(?=[^\s,])")


def _leading(text: str) -> str:
    return text[: len(text) - len(text.lstrip(" \t"))]


def _indents(source: Source) -> dict[int, str]:
    """The blanks in front of the lines of each task: two per level, and what stands under it as far from it as before."""
    depths: dict[str, int] = {}
    found: dict[int, str] = {}
    for task in tasks_of(source).tasks:
        depths[task.id] = depths.get(task.parent or "", -1) + 1 if task.parent else 0
        lines = range(task.line - 1, task.last)
        step = 2 * depths[task.id] - task.block.indent
        if step == 0 and "\t" not in _leading(source.lines[task.line - 1].text):
            continue
        if any(source.lines[index].hidden for index in lines):
            continue  # code and comments stay where they are, and so does what they stand under
        for index in lines:
            text = source.lines[index].text
            if text.strip(" \t"):
                found[index] = " " * max(0, len(_leading(text).expandtabs(4)) + step)
    return found


def _within_lines(source: Source, texts: Sequence[str]) -> Iterator[Change]:
    for number, (line, text) in enumerate(zip(source.lines, texts, strict=True), 1):
        if line.text != text and text.strip(" \t"):
            start = _shared(line.text, text)
            tail = _shared(line.text[start:][::-1], text[start:][::-1])
            yield Change((number, start), (number, len(line.text) - tail), text[start : len(text) - tail])


def _shared(one: str, other: str) -> int:
    return next((index for index, (mine, yours) in enumerate(zip(one, other, strict=False)) if mine != yours), min(len(one), len(other)))


# --- between lines --------------------------------------------------------------------------------------------------------


def _between_lines(lines: Sequence[Line], texts: Sequence[str]) -> Iterator[Change]:
    filled = [index for index, text in enumerate(texts) if text.strip(" \t") or lines[index].hidden]
    if not filled:
        if lines:
            yield Change((1, 0), (len(lines) + 1, 0), "")
        return
    if filled[0]:
        yield Change((1, 0), (filled[0] + 1, 0), "")
    for above, below in pairwise(filled):
        wanted = _blank_lines(lines, texts, above, below)
        if [line.text for line in lines[above + 1 : below]] != [""] * wanted:
            yield Change((above + 2, 0), (below + 1, 0), "\n" * wanted)
    last = filled[-1]
    if not lines[last].ending:
        yield Change((last + 1, len(lines[last].text)), (last + 1, len(lines[last].text)), "\n")
    elif last + 1 < len(lines):
        yield Change((last + 2, 0), (len(lines) + 1, 0), "")


def _blank_lines(lines: Sequence[Line], texts: Sequence[str], above: int, below: int) -> int:
    """How many blank lines belong between two lines that are not blank."""
    blank = below - above - 1
    one, other = lines[above], lines[below]
    if one.hidden or other.hidden:
        return min(blank, 1) if one.mark != "fence" or other.mark != "fence" else blank
    if one.heading or other.heading:
        return 1
    starts_list = _ITEM.match(texts[below]) and not _leading(texts[below]) and _ends_paragraph(lines, above)
    return 1 if starts_list else min(blank, 1)


def _ends_paragraph(lines: Sequence[Line], index: int) -> bool:
    """Whether a plain paragraph ends here, one that no list item goes on in."""
    while index >= 0 and lines[index].text.strip(" \t") and not lines[index].hidden and not lines[index].heading:
        if _ITEM.match(lines[index].text):
            return False
        index -= 1
    return index < 0 or not lines[index].hidden
