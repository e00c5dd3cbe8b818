"""Everything that is wrong with a spec: what the linter finds, and what only the order of its tasks shows."""

from specthread.plan.dag import build_dag
from specthread.spec.document import Problem
from specthread.spec.levels import AS_WRITTEN, Levels, leveled
from specthread.spec.lint import lint_spec
from specthread.spec.spec import Spec

_ORDER_CODES = frozenset({"plan/cycle", "plan/unreachable", "plan/too-large"})
"""The rest of the graph's problems are the linter's too, under names of its own."""


def judge(spec: Spec, levels: Levels = AS_WRITTEN) -> list[Problem]:
    """The findings by document and line, with the levels chosen and without what comments silence."""
    order = spec.recall((_of_order, spec.tasks_read and spec.tasks_read.order), lambda: _of_order(spec))
    if order:
        order = _of_order(spec)  # they stand on lines, which may be other ones now
    return leveled(lint_spec(spec, order), levels)


def _of_order(spec: Spec) -> tuple[Problem, ...]:
    found = build_dag(spec.tasks).problems if spec.tasks else ()
    return tuple(problem._replace(document=spec.tasks_name or "") for problem in found if problem.code in _ORDER_CODES)
