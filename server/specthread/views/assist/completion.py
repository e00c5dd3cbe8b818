"""What may be typed at a place: only where it makes sense, and never in code or comments."""

from specthread.spec.document import BUGFIX, DESIGN, REQUIREMENTS
from specthread.spec.spec import kind_of
from specthread.views.assist.completion_requirement import in_requirements
from specthread.views.assist.completion_task import in_box, in_value, labels, next_task
from specthread.views.assist.index import Cursor
from specthread.views.assist.typed import Completion, Typing


def completions(cursor: Cursor) -> tuple[Completion, ...]:
    """What may be typed at a place, the likeliest first."""
    typing = _typing(cursor)
    if typing is None:
        return ()
    kind = kind_of(cursor.name)
    if cursor.name == cursor.index.spec.tasks_name:
        makers = (in_box, in_value, labels, next_task)
        return next((found for make in makers if (found := tuple(make(typing)))), ())
    if kind in {REQUIREMENTS, BUGFIX}:
        return tuple(in_requirements(typing))
    return tuple(in_value(typing)) if kind == DESIGN else ()


def _typing(cursor: Cursor) -> Typing | None:
    lines = cursor.index.lines(cursor.name)
    if not 0 < cursor.line <= len(lines) + 1 or cursor.name not in cursor.index.spec.sources:
        return None
    here = cursor.here
    fence = cursor.index.spec.sources[cursor.name].unclosed_fence
    if (here is not None and here.hidden) or (fence is not None and fence < cursor.line - 1):
        return None
    return Typing(cursor, here.text if here is not None else "")
