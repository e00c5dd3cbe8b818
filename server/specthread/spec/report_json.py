"""The parsed model of a spec as plain JSON values, as `specthread inspect --json` prints it."""

from collections.abc import Mapping
from typing import Any

from specthread.spec.dialects import Dialect
from specthread.spec.document import DocumentName, Problem
from specthread.spec.lint import lint_spec
from specthread.spec.requirement import Requirement
from specthread.spec.spec import Spec, read_spec
from specthread.spec.tasks import Task


def inspect_value(documents: Mapping[DocumentName, bytes], dialect: Dialect = "specthread", read: Spec | None = None) -> dict[str, Any]:
    """Dialect, requirements, tasks and linter problems of the documents given; lines are 1-based, ids as written."""
    spec = read or read_spec(documents, dialect)
    return {
        "dialect": dialect,
        "requirements": [_requirement_value(requirement) for _, requirement in spec.all_requirements],
        "tasks": [_task_value(task) for task in spec.tasks],
        "problems": [problem_value(problem) for problem in lint_spec(spec)],
    }


def problem_value(problem: Problem) -> dict[str, Any]:
    """One problem as JSON values."""
    return {"code": problem.code, "severity": problem.severity, "line": problem.line, "message": problem.message}


def _requirement_value(requirement: Requirement) -> dict[str, Any]:
    return {
        "id": requirement.id,
        "title": requirement.title,
        "story": requirement.story,
        "line": requirement.line,
        "criteria": [
            {"id": criterion.id, "pattern": criterion.pattern, "text": criterion.text, "line": criterion.line}
            for criterion in requirement.criteria
        ],
    }


def _task_value(task: Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "parent": task.parent,
        "title": task.title,
        "state": task.state,
        "optional": task.optional,
        "line": task.line,
        "requires": list(task.requires),
        "requires_written": list(task.requires_written),
        "depends": list(task.depends),
        "depends_source": task.depends_source,
    }
