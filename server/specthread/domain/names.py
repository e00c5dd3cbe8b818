"""What things are called: documents and their paths, the SpecTask in a run's id, the label of made-up work."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection

from specthread.domain.ids import RunId, SpecTaskId
from specthread.domain.model import Flow, SpecTask
from specthread.spec.dialects import Dialect
from specthread.spec.document import BUGFIX, DESIGN, REQUIREMENTS, TASKS, DocumentName
from specthread.spec.spec import kind_of

DEMO_AGENT = "demo"
"""The scripted agent; whatever it made says so."""


def label(agent: str) -> str:
    """Returns what is put beside the work of an agent that does not reason, or nothing."""
    return "DEMO" if agent == DEMO_AGENT else ""


_READING = (REQUIREMENTS, BUGFIX, DESIGN, TASKS)


def document_names(flow: Flow) -> tuple[str, ...]:
    """Returns the documents a flow consists of, in the order they are read."""
    if flow == "bugfix":
        return ("bugfix", "design", "tasks")
    if flow == "quick":
        return ("requirements", "tasks")
    return ("requirements", "design", "tasks")


def documents_of(spectask: SpecTask) -> tuple[str, ...]:
    """Returns the documents a SpecTask consists of, written or not, in the order they are read."""
    return adopted_names(spectask.documents, spectask.flow, spectask.dialect)


def adopted_names(names: Collection[str], flow: Flow, dialect: Dialect) -> tuple[str, ...]:
    """Returns the documents of a flow; a change of OpenSpec has those that were found in it: its requirements lie in one delta per capability."""
    if dialect != "openspec":
        return document_names(flow)
    return tuple(sorted(names, key=lambda name: (_READING.index(kind_of(DocumentName(name)) or TASKS), name)))


def adopted_flow(names: Collection[str]) -> Flow:
    """Returns the flow that documents which are there already stand for."""
    kinds = {kind_of(DocumentName(name)) for name in names}
    if BUGFIX in kinds and REQUIREMENTS not in kinds:
        return "bugfix"
    return "feature" if DESIGN in kinds else "quick"


def document_path(spectask: SpecTaskId, name: str) -> str:
    """Returns the repository-relative path of a document in our own dialect."""
    return f".specs/{spectask}/{name}.md"


def ref_part(document: str) -> str:
    """Returns a document's name as a part of a ref's name; what cannot stand in one is told by a hash."""
    plain = re.sub(r"[^a-z0-9]+", "-", document).strip("-")
    return (
        plain if plain == document else f"{plain or 'document'}-{hashlib.sha256(document.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    )


def answer_draft(run: RunId, question: str) -> str:
    """Returns the name of the draft in which this question of a run is answered; another question of the run has another one."""
    return f"answer-{run.rpartition('/')[2]}-{hashlib.sha256(question.encode()).hexdigest()[:4]}"


OUTSIDE = "outside"
"""Stands in the place of a run where somebody asks who is none of ours."""


def spectask_of(run: RunId) -> SpecTaskId:
    """Returns the SpecTask a run belongs to."""
    return SpecTaskId(run.rpartition("/")[0])
