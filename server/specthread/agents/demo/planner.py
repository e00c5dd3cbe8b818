"""What the demo's planner does: writes the three documents, and revises them after the review."""

import re

from specthread.agents.demo.material import text_of
from specthread.agents.demo.talk import Beat, Talk, beat
from specthread.agents.scripted import use

VAGUE = "THE list command SHALL report an error."
"""The words the demo's human comments on."""
EXACT = "THE list command SHALL name the known views on standard error and exit with code 2."

_FIRST_CRITERION = "for the view `json`, THE"
_DRAFTED = "for the view `json` THE"
_COMMENT = re.compile(r"^Comment (\S+), on `requirements`:$", re.MULTILINE)
_REQUIREMENTS = re.compile(r'^# Now in `requirements`\n\n<material name="requirements">\n(.*?)\n</material>$', re.MULTILINE | re.DOTALL)


def planner_beats(talk: Talk) -> list[Beat]:
    """Returns the planner's script for a first plan or a revision."""
    return _revision(talk) if talk.opening.startswith("Revise") else _first_plan()


def _first_plan() -> list[Beat]:
    requirements = text_of("requirements.md")
    return [
        beat(
            "I read what the request touches: the views, the command line that shows them, and their tests.",
            use("read", path="hours/views.py"),
            use("read", path="hours/cli.py"),
            use("search", files="tests/*.py"),
        ),
        beat(
            "The views are kept by name already, so each new one can be a task of its own. I write the requirements first.",
            use("write_document", document="requirements", text=requirements.replace(_FIRST_CRITERION, _DRAFTED)),
        ),
        beat(
            "The linter is right: the condition of criterion 1.1 is not closed. I put the comma in.",
            use("write_document", document="requirements", text=requirements),
        ),
        beat(
            "Now the design: where the views meet, and what each file holds.",
            use("write_document", document="design", text=text_of("design.md")),
        ),
        beat(
            "Two tasks write a view each and can run at the same time; the other two need both.",
            use("write_document", document="tasks", text=text_of("tasks.md")),
        ),
        beat(
            "The documents are ready.",
            use("finish", summary="Two new views, chosen by --view. Look closely at what happens when no view has the given name."),
        ),
    ]


def _revision(talk: Talk) -> list[Beat]:
    found = _REQUIREMENTS.search(talk.opening)
    present = f"{found[1]}\n" if found else text_of("requirements.md")
    answer = "True. argparse refuses an unknown name with exit code 2 and lists the known ones; criterion 3.3 now says so."
    return [
        beat("The comment asks for something exact. I look at how the command line is read.", use("read", path="hours/cli.py")),
        *(
            beat("argparse decides that: it exits with code 2. I answer the comment.", use("answer_comment", comment=comment, text=answer))
            for comment in _COMMENT.findall(talk.opening)
        ),
        beat(
            "Now the criterion itself. What the reviewer has edited stays as it is.",
            use("write_document", document="requirements", text=present.replace(VAGUE, EXACT)),
        ),
        beat(
            "The revision is ready.", use("finish", summary="Criterion 3.3 says what an unknown name leads to; nothing else was changed.")
        ),
    ]
