"""The table of everything that can be reported about a spec document, and the one way to make a report."""

from types import MappingProxyType
from typing import Final, NamedTuple

from specthread.spec.document import Fix, Problem, Severity, Span


class Rule(NamedTuple):
    """What a code stands for, and how grave it is."""

    severity: Severity
    doc: str


RULES: Final = MappingProxyType(
    {
        "document/not-utf8": Rule("warning", "The document holds bytes that are not UTF-8; they are kept as they are."),
        "document/too-long": Rule("warning", "The document is longer than a person reviews with care."),
        "document/unclosed-fence": Rule("warning", "A code fence is opened and never closed; it is read as ordinary text."),
        "requirement/none": Rule("error", "The document holds no requirement."),
        "requirement/no-id": Rule("warning", "A requirement heading carries no number, so nothing can refer to it."),
        "requirement/duplicate-id": Rule("error", "Two requirements carry the same number."),
        "requirement/gap": Rule("warning", "A requirement number is left out."),
        "requirement/no-criteria": Rule("error", "A requirement has no acceptance criterion."),
        "criterion/duplicate-id": Rule("error", "Two criteria of one requirement carry the same number."),
        "criterion/gap": Rule("warning", "A criterion number is left out."),
        "ears/no-shall": Rule("error", "A criterion does not say what the system SHALL do."),
        "ears/many-shall": Rule("error", "One sentence of a criterion holds more than one SHALL."),
        "ears/form": Rule("error", "A criterion follows none of the EARS forms."),
        "ears/separator": Rule("warning", "The condition of a criterion is not closed by a comma or THEN."),
        "ears/if-without-then": Rule("warning", "An IF condition is not followed by THEN."),
        "ears/clause-order": Rule("warning", "The conditions of a criterion are not in the order WHERE, WHILE, WHEN or IF."),
        "ears/modal": Rule("error", "Another word than SHALL says what the system has to do."),
        "ears/system": Rule("warning", "A criterion does not name the system that SHALL do something."),
        "wording/vague": Rule("warning", "A word leaves open what exactly is meant."),
        "wording/escape": Rule("error", "Words such as “if possible” take the obligation back."),
        "wording/open-ended": Rule("error", "A list has no end, as with “etc.”."),
        "wording/able-to": Rule("warning", "“be able to” says what could be done, not what is done."),
        "wording/passive": Rule("info", "The response does not say who acts."),
        "wording/combinator": Rule("info", "Several responses are joined in one criterion."),
        "wording/pronoun": Rule("info", "A pronoun may mean several things."),
        "wording/absolute": Rule("warning", "“always”, “never” and their like cannot be tested."),
        "wording/unmeasured": Rule("warning", "A time or an amount is named without number and unit."),
        "wording/negative": Rule("warning", "A criterion only says what does not happen, and not when."),
        "task/none": Rule("error", "The document holds no numbered task."),
        "task/no-id": Rule("warning", "A check box carries no number, so it is not a task."),
        "task/duplicate-id": Rule("error", "Two tasks carry the same number."),
        "task/gap": Rule("info", "A task number is left out."),
        "task/unknown-mark": Rule("warning", "A check box holds a mark without meaning; it is read as not started."),
        "task/no-check": Rule("error", "A task names no command that verifies it."),
        "task/trivial-check": Rule("error", "The check of a task succeeds whatever the code does."),
        "task/unreadable-condition": Rule("error", "The condition of a task names no task and no end of it."),
        "task/too-many-resources": Rule("error", "A task uses more resources than a session may hold."),
        "task/bad-timeout": Rule("error", "A task is given a time that is none."),
        "task/unknown-resource": Rule("error", "A task uses something that is no resource."),
        "link/unknown-requirement": Rule("error", "A task refers to a requirement or criterion that does not exist."),
        "link/unknown-task": Rule("error", "A task depends on a task that does not exist."),
        "link/unreadable-reference": Rule("warning", "A reference is not an id or a range of ids."),
        "coverage/requirement": Rule("error", "No task refers to a requirement."),
        "coverage/criterion": Rule("warning", "No task refers to a criterion, although others of its requirement are covered."),
        "coverage/task": Rule("warning", "A task refers to no requirement."),
        "task/state-conflict": Rule("info", "A task is ticked while a mandatory task below it is not."),
        "criterion/near-duplicate": Rule("warning", "Two criteria say nearly the same."),
        "link/unknown-wave-task": Rule("warning", "The dependency graph of a document names a task that is not there."),
        "spec/open-question": Rule("warning", "A question below “Open Questions” is not answered."),
        "bugfix/missing-part": Rule("error", "A bug report does not say how it is, how it should be, or what must stay."),
        "spec/needs-clarification": Rule("warning", "A question marked [NEEDS CLARIFICATION] is open."),
        "openspec/no-scenario": Rule("error", "A requirement has no scenario."),
        "openspec/scenario-level": Rule("error", "A scenario's heading has not exactly four signs “#”."),
        "plan/cycle": Rule("error", "Tasks wait for each other in a circle."),
        "plan/too-large": Rule("error", "There are more tasks or dependencies than a plan can hold."),
        "plan/unreachable": Rule("error", "Tasks can never start, because they wait behind a circle."),
        "plan/duplicate-task": Rule("error", "Two tasks carry the same number, and only the first is planned."),
        "plan/unknown-task": Rule("error", "A task waits for a task that does not exist."),
        "plan/bad-estimate": Rule("warning", "A task is said to take a time that is not above nothing."),
        "approval/void": Rule("warning", "The words that were approved are not those of the document."),
        "approval/skipped": Rule("warning", "A document is approved while one it rests on is not."),
        "suppression/unknown-code": Rule("warning", "A comment silences a code that does not exist."),
        "suppression/unused": Rule("warning", "A comment silences a code that nothing draws."),
    }
)


def problem_at(code: str, message: str, span: Span, fix: Fix | None = None) -> Problem:
    """A report about a part of a line; its severity is the one in the table."""
    return Problem(code, RULES[code].severity, message, span, "", fix)
