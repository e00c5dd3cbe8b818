"""What the daemon answers, made short for an agent: words with the ids to go on with, and the same as values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from specthread.protocol.mcp.tool import Told, cut

SHOWN_TASKS = 100
SHOWN_SPECTASKS = 50
SHOWN_PROBLEMS = 30
SHOWN_PLACES = 5
WHOLE = 20_000
"""Characters of documents that are shown without being asked for by name."""
LONGEST_PART = 50_000
"""Characters of one document in one answer."""

Json = Mapping[str, Any]


def list_page(found: list[Json]) -> Told:
    """Returns SpecTasks, one line each; those that need a person come first."""
    shown = found[:SHOWN_SPECTASKS]
    more = len(found) - len(shown)
    lines = [f"- {each['id']}: {each['state']}. {cut(each['prompt'], 100)}{_needs(each)}" for each in shown]
    text = "\n".join([*lines, *([f"… and {more} more; name a `repository`."] if more else [])]) or "There are no SpecTasks."
    return Told(text=text, data={"spectasks": [_summary(each) for each in shown], "more": more})


def _needs(view: Json) -> str:
    return f" Needs a person: {'; '.join(cut(need['text'], 120) for need in view['needs'])}" if view["needs"] else ""


def _summary(view: Json) -> dict[str, Any]:
    needs = [{"kind": need["kind"], "text": need["text"]} for need in view["needs"]]
    kept = {name: view[name] for name in ("id", "state", "why", "repository", "total", "merged", "skipped")}
    return {**kept, "prompt": cut(view["prompt"], 300), "needs": needs}


def spectask_page(view: Json) -> Told:
    """Returns where a SpecTask stands: documents, tasks, sessions, what it waits for and what was noted."""
    tasks = [{name: task[name] for name in ("number", "title", "state", "why", "session")} for task in view["tasks"][:SHOWN_TASKS]]
    sessions = [{name: run[name] for name in ("id", "task", "status", "why")} for run in view["sessions"]]
    notes = [{name: note[name] for name in ("kind", "by", "text", "answer")} for note in view["notes"]]
    documents = [{"name": each["name"], "approval": each["approval"], "digest": each["digest"][:12]} for each in view["documents"]]
    lines = [
        f"{view['id']} is in {view['state'].replace('_', ' ')}: {cut(view['prompt'], 300)}",
        *([cut(view["why"], 300)] if view["why"] else []),
        *([f"{_needs(view).strip()}"] if view["needs"] else []),
        f"Documents: {', '.join(each['name'] + ' (' + _APPROVALS[each['approval']] + ')' for each in documents)}.",
        *([f"Tasks: {view['merged']} of {view['total']} merged, {view['skipped']} skipped."] if tasks else []),
        *(
            f"- {task['number']}. {cut(task['title'], 100)}: {task['state'].replace('_', ' ')}. {cut(task['why'], 160)}".rstrip(". ")
            for task in tasks
        ),
        *(_note(note) for note in notes[-10:]),
    ]
    data = {
        **_summary(view),
        "documents": documents,
        "tasks": tasks,
        "sessions": sessions,
        "notes": notes,
        "feature": view["branches"]["feature"],
    }
    return Told(text="\n".join(lines), data=data)


_APPROVALS = {
    "missing": "not written yet",
    "none": "not approved",
    "recording": "being approved",
    "valid": "approved",
    "void": "changed since its approval",
}


def _note(note: Json) -> str:
    answer = f" Answer: {cut(note['answer'], 300)}" if note["answer"] else " Not answered yet." if note["kind"] == "question" else ""
    return f"{_SAID[note['kind']]} by {note['by']}: {cut(note['text'], 300)}{answer}"


_SAID = {"progress": "Progress", "decision": "Decision", "question": "Question"}


def spec_page(review: Json, wanted: str, first_line: int) -> Told:
    """Returns the documents with their texts, or of many only the one that is `wanted`, from a line on; with what the linter found and open comments."""
    known = [each for each in review["documents"] if wanted in {"", each["name"], f"{each['name']}.md"}]
    whole = bool(wanted) or sum(len(each["text"]) for each in known) <= WHOLE
    documents = [_document(each, first_line if wanted else 1, whole=whole) for each in known]
    problems = [{name: each[name] for name in ("document", "line", "code", "severity", "message")} for each in review["problems"]]
    comments = [{name: each[name] for name in ("id", "document", "line", "text", "author", "answer")} for each in review["comments"]]
    lines = [
        *(line for each in documents for line in _document_lines(each)),
        *(
            [f"Nothing is named {wanted} here; there is {', '.join(each['name'] for each in review['documents']) or 'nothing yet'}."]
            if not known
            else []
        ),
        *(f"{each['severity']} {each['document']}:{each['line']} {each['message']} ({each['code']})" for each in problems[:SHOWN_PROBLEMS]),
        *(f"Comment {each['id']} at {each['document']}:{each['line']} by {each['author']}: {cut(each['text'], 300)}" for each in comments),
    ]
    return Told(
        text="\n".join(lines),
        data={"spectask": review["spectask"], "documents": documents, "problems": problems[:SHOWN_PROBLEMS], "comments": comments},
    )


def _document(document: Json, first_line: int, *, whole: bool) -> dict[str, Any]:
    lines = document["text"].splitlines(keepends=True)[first_line - 1 :]
    text, count = "", 0
    for line in lines if whole else []:
        if len(text) + len(line) > LONGEST_PART:
            break
        text, count = text + line, count + 1
    following = first_line + count if whole and count < len(lines) else 0
    kept = {name: document[name] for name in ("name", "path", "approval")}
    return {**kept, "digest": document["digest"][:12], "lines": document["text"].count("\n") + 1, "text": text, "next_line": following}


def _document_lines(document: Json) -> Iterator[str]:
    yield f"# {document['name']}@{document['digest']} ({_APPROVALS[document['approval']]}, {document['lines']} lines)"
    if document["text"]:
        yield document["text"].rstrip("\n")
        if document["next_line"]:
            yield f"(It goes on: pass `first_line` {document['next_line']}.)"
    else:
        yield "(Name it in `document` to read it.)"


def trace_page(trace: Json) -> Told:
    """Returns who builds and tests which requirement, and what has neither."""
    rows = list(_rows(trace["requirements"]))
    text = "\n".join([*(_row_line(row) for row in rows), f"{trace['gaps']} gaps."])
    return Told(text=text, data={"spec": trace["spec"], "requirements": rows, "gaps": trace["gaps"]})


def _rows(requirements: list[Json]) -> Iterator[dict[str, Any]]:
    for row in requirements:
        places = {name: [f"{each['path']}:{each['line']}" for each in row[name]][:SHOWN_PLACES] for name in ("code", "tests")}
        tasks = [{"id": each["id"], "state": each["state"]} for each in row["tasks"]]
        yield {"id": row["id"], "title": cut(row["title"], 200), "tasks": tasks, **places, "gaps": row["gaps"]}
        yield from _rows(row["criteria"])


def _row_line(row: Json) -> str:
    tasks = ", ".join(f"{each['id']} {each['state']}" for each in row["tasks"])
    parts = [
        f"tasks {tasks}" if tasks else "",
        *(f"{name} {', '.join(row[name])}" for name in ("code", "tests") if row[name]),
        *row["gaps"],
    ]
    return f"- {row['id']} {cut(row['title'], 100)}: {'; '.join(filter(None, parts)) or 'nothing yet'}"


def ask_page(result: Json) -> Told:
    """Returns an answer, or how to come back for it."""
    if result["answer"]:
        text = f"The person answered: {result['answer']}"
    else:
        text = "Nobody has answered yet. Go on with what does not depend on it; ask again in the same words to hear the answer."
    return Told(text=text, data={"question": result["question"], "answered": bool(result["answer"]), "answer": result["answer"]})


def done_page(result: Json) -> Told:
    """Returns what a change did."""
    return Told(text=result["text"], data={"spectask": result["spectask"], "seq": result["seq"], "text": result["text"]})
