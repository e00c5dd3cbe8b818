"""What a person answers when an agent may do something only with permission, and what holds of a run meanwhile."""

from __future__ import annotations

from typing import Final

from specthread.domain.run import ACTING, AnyRun, Question

ONCE: Final = "once"
ALWAYS: Final = "always here"
NO: Final = "no"
CHOICES: Final = (ONCE, ALWAYS, NO)

_MEANT: Final = {
    **dict.fromkeys((ONCE, "yes", "y", "ok", "allow"), ONCE),
    **dict.fromkeys((ALWAYS, "always"), ALWAYS),
    **dict.fromkeys((NO, "n", "never", "deny"), NO),
}


def decision(answer: str) -> str:
    """Returns what an answer comes to: one of `CHOICES`, `no: …` with the person's reason, or nothing where it is none of them."""
    word, colon, reason = (part.strip() for part in answer.replace(",", ":", 1).partition(":"))
    meant = _MEANT.get(word.rstrip(".!").lower(), "")
    if not colon:
        return meant
    return f"{NO}: {reason}" if meant == NO else ""


def is_yes(question: Question) -> bool:
    """Tells whether a permission was given."""
    return question.answer in {ONCE, ALWAYS}


def keeps_its_place(run: AnyRun) -> bool:
    """Tells whether a run's agent stands in the middle of something, for which it awaits a permission, or a place to go on with it."""
    question = run.question
    if question is None or question.kind != "permission" or question.stood not in ACTING:
        return False
    return run.state == "waiting" or (run.state == "pending" and run.returns in ACTING)
