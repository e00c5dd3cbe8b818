"""Verbs about spec files on disk: check, inspect, plan. They need no daemon, no repository, and nothing but the standard library to start."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from specthread.cli.outcome import OK, PROBLEM, USAGE, Failure, print_json


class Verb(NamedTuple):
    """A verb: what it does in a sentence, its arguments, and how it is carried out."""

    summary: str
    arguments: Callable[[argparse.ArgumentParser], None]
    carry_out: Callable[[argparse.Namespace], int]


def run(arguments: list[str]) -> int:
    """Carries out one of these verbs, the first of the arguments, and returns its exit code. Raises Failure."""
    verb = VERBS[arguments[0]]
    parser = _Parser(
        prog=f"specthread {arguments[0]}",
        description=verb.summary,
        epilog="Exit codes: 0 fine, 1 errors found, 2 wrong use or settings, 3 something could not be read or written.",
        allow_abbrev=False,
    )
    verb.arguments(parser)
    return verb.carry_out(parser.parse_args(arguments[1:]))


class _Parser(argparse.ArgumentParser):
    """Says what is wrong the way all verbs do."""

    def error(self, message: str) -> NoReturn:
        sentence = f"{message[:1].upper()}{message[1:].rstrip('.')}."
        raise Failure("usage", sentence, f"`{self.prog} --help` says what it takes.", status=USAGE)


def _check_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("paths", metavar="PATH", nargs="*", help="spec folders or files, or folders above them (the current folder)")
    add("--format", choices=("text", "json", "sarif", "github"), help="how findings are printed (text)")
    add("--json", action="store_true", help="the same as --format json")
    add("--fix", action="store_true", help="mend what can be mended")
    add("--diff", action="store_true", help="print what --fix would change, and change nothing")
    add("--dry-run", action="store_true", help="with --fix: the same as --diff")
    add("--archived", action="store_true", help="check archived changes too")
    add("--explain", metavar="CODE", nargs="?", const="", help="print what a code means, or the list of codes")


def _check(options: argparse.Namespace) -> int:
    if options.json and options.format not in {None, "json"}:
        raise Failure("bad-option", f"`--json` and `--format {options.format}` exclude each other.", "Leave one out.", status=USAGE)
    form = "json" if options.json else options.format or "text"
    if options.explain is not None:
        return _explain(options, form)
    if options.dry_run and not (options.fix or options.diff):
        raise Failure("bad-option", "`--dry-run` belongs to `--fix`.", "Write `--fix --dry-run`, or `--diff`.", status=USAGE)
    mode = "diff" if options.diff or options.dry_run else "fix" if options.fix else "none"
    if mode == "diff" and form != "text":
        raise Failure("bad-option", f"A diff cannot be printed as {form}.", "Leave `--format` out.", status=USAGE)
    from specthread.cli.check.verb import Wanted, check  # noqa: PLC0415  each verb loads what it needs

    return check(Wanted(options.paths, form, mode, options.archived))


def _explain(options: argparse.Namespace, form: str) -> int:
    from specthread.cli.check.explain import explanation, explanation_value  # noqa: PLC0415  the same

    if form == "json":
        print_json(explanation_value(options.explain))
    else:
        sys.stdout.write(explanation(options.explain))
    return OK


def _path_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", help="a spec folder or one of its files")
    parser.add_argument("--json", action="store_true", help="JSON is the only form there is")


def _plan_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", help="a spec folder or one of its files")
    parser.add_argument("--json", action="store_true", help="print JSON on a terminal too; into a pipe nothing else is printed")
    parser.add_argument("--max-parallel", metavar="N", type=int, default=_USUAL_PLACES, help="sessions at once, for the speed-up (6)")


_USUAL_PLACES = 6


def _inspect(options: argparse.Namespace) -> int:
    from specthread.cli.check.reading import one_spec  # noqa: PLC0415  each verb loads what it needs
    from specthread.spec.report_json import inspect_value  # noqa: PLC0415  the same

    spec = one_spec(options.path)
    print_json(inspect_value({}, spec.dialect, spec))
    return OK


def _plan(options: argparse.Namespace) -> int:
    from specthread.cli.check.reading import one_spec  # noqa: PLC0415  each verb loads what it needs
    from specthread.plan.dag import build_dag  # noqa: PLC0415  the same
    from specthread.plan.plan_json import plan_value  # noqa: PLC0415  the same

    if options.max_parallel < 1:
        raise Failure("bad-option", f"`--max-parallel` is at least 1, not {options.max_parallel}.", status=USAGE)
    spec = one_spec(options.path)
    if spec.tasks_name is None:
        raise Failure("no-tasks", f"{options.path} has no tasks document.", "Name a tasks.md, or the folder it is in.")
    dag = build_dag(spec.tasks)
    value = plan_value(dag, {task.id: task.files for task in spec.tasks if task.leaf}, options.max_parallel)
    if options.json or not sys.stdout.isatty():
        print_json(value)
    else:
        from specthread.cli.plan_page import plan_page  # noqa: PLC0415  the same

        sys.stdout.write(plan_page(value, {task.id: task.title for task in spec.tasks}))
    return PROBLEM if any(problem.severity == "error" for problem in dag.problems) else OK


VERBS = {
    "check": Verb("Check spec documents. Exits with 1 where something is wrong.", _check_arguments, _check),
    "inspect": Verb("Print the parsed model of a spec as JSON.", _path_arguments, _inspect),
    "plan": Verb("Show the dependency graph of tasks. Exits with 1 where it cannot be carried out.", _plan_arguments, _plan),
}
