"""The names of things: strings that are never mixed up."""

from __future__ import annotations

from typing import NewType

SpecTaskId = NewType("SpecTaskId", str)
RunId = NewType("RunId", str)
"""A WorkSession (`<SpecTask>/ws-1`) or a PlanningRun (`<SpecTask>/plan-1`)."""
TaskNumber = NewType("TaskNumber", str)
CommentId = NewType("CommentId", str)
Oid = NewType("Oid", str)
Digest = NewType("Digest", str)
