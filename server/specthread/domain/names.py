"""What things are called: documents and their paths, the SpecTask in a run's id, the label of made-up work."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from specthread.domain.model import Flow, RunId, SpecTaskId

DEMO_AGENT = "demo"
"""The scripted agent; whatever it made says so."""


def label(agent: str) -> str:
    """Returns what is put beside the work of an agent that does not reason, or nothing."""
    return "DEMO" if agent == DEMO_AGENT else ""


def document_names(flow: Flow) -> tuple[str, ...]:
    """Returns the documents a flow consists of, in the order they are read."""
    if flow == "bugfix":
        return ("bugfix", "design", "tasks")
    if flow == "quick":
        return ("requirements", "tasks")
    return ("requirements", "design", "tasks")


def adopted_flow(names: Collection[str]) -> Flow:
    """Returns the flow that documents which are there already stand for."""
    if "bugfix" in names and "requirements" not in names:
        return "bugfix"
    return "feature" if "design" in names else "quick"


def document_path(spectask: SpecTaskId, name: str) -> str:
    """Returns the repository-relative path of a document in our own dialect."""
    return f".specs/{spectask}/{name}.md"


def answer_draft(run: RunId, question: str) -> str:
    """Returns the name of the draft in which this question of a run is answered; another question of the run has another one."""
    return f"answer-{run.rpartition('/')[2]}-{hashlib.sha256(question.encode()).hexdigest()[:4]}"


def spectask_of(run: RunId) -> SpecTaskId:
    """Returns the SpecTask a run belongs to."""
    return SpecTaskId(run.rpartition("/")[0])
