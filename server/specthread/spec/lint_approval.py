"""Rules about approvals, where a record of them lies beside the documents: ours in `spec-metadata.json`, cc-sdd's in `spec.json`."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from specthread.spec.digest import content_digest
from specthread.spec.document import DESIGN, REQUIREMENTS, TASKS, DocumentName, Problem, whole_line
from specthread.spec.rules import problem_at
from specthread.spec.spec import Spec

_Found = Iterator[tuple[DocumentName, Problem]]

RECORDS: Final = ("spec-metadata.json", "spec.json")
"""The files that hold a record of approvals."""

_STEPS: Final = (REQUIREMENTS, DESIGN, TASKS)


def _void(spec: Spec) -> _Found:
    """The words approved last are not the words that stand there."""
    versions = _record(spec, "spec-metadata.json").get("versions")
    latest = versions[-1] if isinstance(versions, list) and versions else None
    if not isinstance(latest, dict) or not isinstance(digests := latest.get("digests"), dict):
        return
    for name, digest in digests.items():
        source = spec.sources.get(DocumentName(str(name)))
        if source is not None and digest != content_digest(source.content):
            message = f"These are not the words that were approved as version {latest.get('number')}. Have them approved again."
            yield DocumentName(name), problem_at("approval/void", message, whole_line(1))


def _skipped(spec: Spec) -> _Found:
    """A later document is approved while an earlier one is not."""
    approvals = _record(spec, "spec.json").get("approvals")
    if not isinstance(approvals, dict):
        return
    steps = [(name, approvals[name].get("approved")) for name in _STEPS if isinstance(approvals.get(name), dict)]
    for position, (name, approved) in enumerate(steps):
        missing = next((earlier for earlier, was in steps[:position] if was is not True), None)
        if approved is True and missing is not None and name in spec.sources:
            message = f"spec.json has {name} approved, but not {missing}, on which they rest. Have {missing} approved first."
            yield name, problem_at("approval/skipped", message, whole_line(1))


def _record(spec: Spec, name: str) -> Mapping[str, Any]:
    """What the record says; nothing where there is none, or none that can be read."""
    try:
        value = json.loads(spec.around.records.get(name, b"{}"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


APPROVAL_RULES: Final[tuple[Callable[[Spec], _Found], ...]] = (_void, _skipped)
