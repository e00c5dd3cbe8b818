"""What the demo's sessions do: one script per task, each with what it does when it is sent back.

Task 1 runs only its own new test, so its first finish fails the check. Task 2 asks. Both change the same lines of one file, so whichever is merged second meets a conflict.
"""

import re

from specthread.agents.backend import ToolUse
from specthread.agents.demo.material import text_of
from specthread.agents.demo.talk import Beat, Talk, beat
from specthread.agents.scripted import use

QUESTION = "In which order should the totals stand? The spec leaves it open, and everybody who uses the view will notice."
MOST_FIRST = "most time first"
BY_NAME = "by name"

_SHARED = "hours/views.py"
_SUMMARIES = {
    "1": "The view `json` is `as_json` in hours/json_view.py; tests/test_json_view.py holds it.",
    "2": "The view `totals` is `totals` in hours/totals_view.py; tests/test_totals_view.py holds it and its order.",
}
_TASK = re.compile(r"^# Task (\S+): ")
_HUNK = re.compile(r"^<{7} [^\n]*\n(.*?)^={7}\n(.*?)^>{7} [^\n]*\n", re.MULTILINE | re.DOTALL)
_CHECKS = {
    "1": "python3 -m unittest tests.test_json_view tests.test_views",
    "2": "python3 -m unittest tests.test_totals_view tests.test_views",
    "3": "python3 -m unittest tests.test_view_option tests.test_cli",
    "4": "python3 -m unittest tests.test_readme",
}


def implementer_beats(talk: Talk) -> list[Beat] | None:
    """Returns the script of the task that the conversation is about; None for a task that is not the demo's."""
    found = _TASK.match(talk.opening)
    if found is None or found[1] not in _CHECKS:
        return None
    number = found[1]
    if talk.reason == "conflict":
        return _resolution(talk, number)
    if talk.reason == "check" and number == "1":
        return _missing_newline()
    return {"1": _json_view, "2": _totals_view, "3": _option, "4": _readme}[number](talk)


def resolved(text: str) -> str:
    """Returns a text whose conflicts are settled by keeping the lines of both sides, in alphabetical order."""
    return _HUNK.sub(lambda hunk: "".join(sorted({*hunk[1].splitlines(keepends=True), *hunk[2].splitlines(keepends=True)})), text)


def _check(number: str) -> ToolUse:
    return use("shell", command=_CHECKS[number])


def _json_view(_: Talk) -> list[Beat]:
    own_test = use("shell", command="python3 -m unittest tests.test_json_view")
    return [
        beat("I read the views that are there and the entries they show.", use("read", path=_SHARED), use("read", path="hours/entry.py")),
        beat("The test first, and it fails.", use("write", path="tests/test_json_view.py", text=text_of("test_json_view.py")), own_test),
        beat(
            "Now the view, and its line in the table of views.",
            use("write", path="hours/json_view.py", text=text_of("json_view.py")),
            *_registration("json", "as_json"),
        ),
        beat("Does my test pass now?", own_test),
        beat("It passes.", use("finish", summary=_SUMMARIES["1"])),
    ]


def _registration(name: str, function: str) -> tuple[ToolUse, ToolUse]:
    module, line = f"hours.{name}_view", f'    "{name}": {function},\n'
    before, table = "from hours.entry import Entry, duration\n", '    "table": table,\n'
    return (
        use("edit", path=_SHARED, old=before, new=f"{before}from {module} import {function}\n"),
        use("edit", path=_SHARED, old=table, new=line + table if name < "table" else table + line),
    )


def _missing_newline() -> list[Beat]:
    wrong = "    return json.dumps(fields, indent=2, ensure_ascii=False)\n"
    right = '    return json.dumps(fields, indent=2, ensure_ascii=False) + "\\n"\n'
    return [
        beat(
            "The check runs more than my own test: every view must end with a newline, and mine does not.",
            use("read", path="tests/test_views.py"),
            use("read", path="hours/json_view.py"),
        ),
        beat("I add it and run the whole check this time.", use("edit", path="hours/json_view.py", old=wrong, new=right), _check("1")),
        beat("Green.", use("finish", summary=f"{_SUMMARIES['1']} It ends its text with a newline, as every view must.")),
    ]


def _totals_view(talk: Talk) -> list[Beat]:
    by_name = BY_NAME in talk.answer
    order = BY_NAME if by_name else MOST_FIRST
    expected = '[["0:45", "invoices"], ["3:30", "website"]]' if by_name else '[["3:30", "website"], ["0:45", "invoices"]]'
    test = text_of("test_totals_view.py").replace("ORDER", order.replace(" ", "_")).replace("EXPECTED", expected)
    ordered = "sorted(minutes.items())" if by_name else "minutes.most_common()"
    view = text_of("totals_view.py").replace("ORDER", order).replace("SORTED", ordered)
    return [
        beat(
            "I read the views that are there and the example the tests use.",
            use("read", path=_SHARED),
            use("read", path="tests/example.py"),
        ),
        beat("One thing is for a person to decide.", use("ask", question=QUESTION, choices=[MOST_FIRST, BY_NAME])),
        beat(f"So: {order}. The test first, and it fails.", use("write", path="tests/test_totals_view.py", text=test), _check("2")),
        beat(
            "Now the view, and its line in the table of views.",
            use("write", path="hours/totals_view.py", text=view),
            use("read", path=_SHARED),
            *_registration("totals", "totals"),
        ),
        beat("I run the check.", _check("2")),
        beat("Green.", use("finish", summary=f"{_SUMMARIES['2']} The projects stand {order}, as was answered.")),
    ]


def _resolution(talk: Talk, number: str) -> list[Beat]:
    return [
        beat("Another session has changed the same lines. I look at what both of us wrote.", use("read", path=_SHARED)),
        beat(
            "Both views belong in: I keep the lines of both sides.",
            use("write", path=_SHARED, text=resolved(talk.read(_SHARED))),
            _check(number),
        ),
        beat(
            "Green, with both views.",
            use("finish", summary=f"{_SUMMARIES[number]} hours/views.py names both new views, in alphabetical order."),
        ),
    ]


def _option(_: Talk) -> list[Beat]:
    path = "hours/cli.py"
    shown = '        sys.stdout.write(VIEWS["table"](load(options.file)))\n'
    listed = '    commands.add_parser("list", help="show the entries")\n'
    chosen = (
        '    show = commands.add_parser("list", help="show the entries")\n'
        '    show.add_argument("--view", choices=VIEWS, default="table", help="how to show them (table)")\n'
    )
    return [
        beat(
            "I look for what knows the views, and read the command line.",
            use("search", pattern="VIEWS", files="**/*.py"),
            use("read", path=path),
        ),
        beat(
            "The test first. The option takes its choices from the views, so a later view needs no change here.",
            use("write", path="tests/test_view_option.py", text=text_of("test_view_option.py")),
            use("edit", path=path, old=shown, new=shown.replace('"table"', "options.view")),
            use("edit", path=path, old=listed, new=chosen),
            _check("3"),
        ),
        beat(
            "Green.", use("finish", summary="`hours list --view NAME` takes any name in VIEWS; argparse refuses others with exit code 2.")
        ),
    ]


def _readme(_: Talk) -> list[Beat]:
    before = "Every entry is one line"
    views = (
        "The list can be shown in other ways:\n\n"
        "    python3 -m hours list --view table     one line per entry, as without the option\n"
        "    python3 -m hours list --view json      for other programs\n"
        "    python3 -m hours list --view totals    the total of each project\n\n"
    )
    return [
        beat("I read the README and the views it has to name.", use("read", path="README.md"), use("read", path=_SHARED)),
        beat(
            "A test that holds the README to the views, and the lines it asks for.",
            use("write", path="tests/test_readme.py", text=text_of("test_readme.py")),
            use("edit", path="README.md", old=before, new=views + before),
            _check("4"),
        ),
        beat("Green.", use("finish", summary="The README names every view with its option, and a test holds it to that.")),
    ]
