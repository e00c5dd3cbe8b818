"""The words of one criterion that make it hard to build and hard to test: the lexical rules of the INCOSE guide, one per code.

Positions are characters of the text as given, which may hold line breaks and emphasis. Quotations, inline code and links are not the
author's words and are passed over. The rules are about English and silent about any other language, save for small tables of vague words.
They prefer silence to noise: a word that has a precise use as well is reported only where its neighbours leave no doubt.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final

from specthread.spec import ears
from specthread.spec import wording_words as words
from specthread.spec.ears_words import CAPITAL_MUST, SHALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One finding; `start` and `end` are indexes into the criterion as given, `fix` is what may stand there instead, where that is plain."""

    code: str
    start: int
    end: int
    message: str
    fix: str | None


def wording_of(raw: str, systems: Collection[str] = ()) -> Iterator[Wording]:
    """What the rules find in one criterion, rule by rule; `systems` are the names a SHALL may follow instead of “the system”."""
    text = _own_words(raw)
    plain = ears.spoken(" ".join(raw.split()))
    language = ears.language_of(plain)
    if language in words.VAGUE_ABROAD:
        yield from _each("wording/vague", re.compile(words.VAGUE_ABROAD[language]), text, _VAGUE_MESSAGE)
    if language == "en":
        criterion = _Criterion(text=text, plain=plain, systems=systems, shall=SHALL.search(text))
        # What obliges nobody is a report of what is, or a step of a scenario, and may be worded as freely as prose.
        obliges = criterion.shall or CAPITAL_MUST.search(text) or _main_modal(text)
        for rule in _RULES if obliges else ():
            yield from rule(criterion)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Criterion:
    """A criterion as the rules see it: `text` has the positions of the given one, `plain` is what `ears` reads."""

    text: str
    plain: str
    systems: Collection[str]
    shall: re.Match[str] | None


_Rule = Callable[[_Criterion], Iterator[Wording]]


def _own_words(raw: str) -> str:
    """The text with emphasis blanked and with marks, as many as there were characters, in place of what others wrote."""
    text = _OTHERS.sub(lambda found: _MARK * len(found[0]), raw)
    return _EMPHASIS.sub(lambda found: " " * len(found[0]), text)


def _found(code: str, found: re.Match[str], message: str, fix: str | None = None) -> Wording:
    word = " ".join(found[0].split())
    return Wording(code=code, start=found.start(), end=found.end(), message=message.replace("{}", word, 1), fix=fix)


def _each(code: str, words: re.Pattern[str], text: str, message: str) -> Iterator[Wording]:
    return (_found(code, found, message) for found in words.finditer(text))


def _vague(it: _Criterion) -> Iterator[Wording]:
    return _each("wording/vague", words.VAGUE, it.text, _VAGUE_MESSAGE)


def _escape(it: _Criterion) -> Iterator[Wording]:
    message = "“{}” leaves it open whether this has to be done at all. Name the condition, or leave it out."
    return _each("wording/escape", words.ESCAPE, it.text, message)


def _open_ended(it: _Criterion) -> Iterator[Wording]:
    return _each(
        "wording/open-ended", words.OPEN_ENDED, it.text, "“{}” leaves the list open, so nobody can say when it is done. Name every item."
    )


def _able_to(it: _Criterion) -> Iterator[Wording]:
    for found in words.ABILITY.finditer(it.text):
        # What people “are able to” do they need not do, so only the system's own ability can be said more shortly.
        fix = found["shall"] if not words.PERSON.search(it.text, 0, found.start()) else None
        yield _found("wording/able-to", found, "“{}” demands an ability, not an action. Say what happens: “SHALL …”.", fix)
    yield from _each("wording/able-to", words.CAPACITY, it.text, "“{}” demands an ability, not an action. Say what the system SHALL do.")


def _passive(it: _Criterion) -> Iterator[Wording]:
    for found in words.PASSIVE.finditer(it.text):
        if not (words.ADJECTIVES.fullmatch(found["participle"]) or words.BY_AGENT.match(it.text, found.end())):
            message = "“{}” does not say who does it. Name the system: “THE … SHALL …”."
            yield _found("wording/passive", found, message)


def _combinator(it: _Criterion) -> Iterator[Wording]:
    found = words.COMBINATOR.search(it.text, it.shall.end()) if it.shall else None
    # Behind “to …”, “that …” or “so that …” the second verb belongs to the first one's object, not to the system.
    if it.shall and found and not words.SUBORDINATE.search(it.text, it.shall.end(), found.start()):
        yield _found(
            "wording/combinator", found, "“{}” adds a second action. Make each action a criterion of its own, so that each is tested."
        )


def _pronoun(it: _Criterion) -> Iterator[Wording]:
    message = "“{}” may be read as more than one thing. Repeat the noun."
    for found in words.PRONOUN.finditer(it.text):
        # With one noun in front of it nobody wonders which is meant; the system itself and the people at it are not meant.
        nouns = {noun[0].lower() for noun in words.NOUN.finditer(it.text, 0, found.start())}
        if len(nouns) > 1:
            yield _found("wording/pronoun", found, message)


def _absolute(it: _Criterion) -> Iterator[Wording]:
    return _each("wording/absolute", words.ABSOLUTE, it.text, "No test can show “{}”. Name the cases, or a rate that can be measured.")


def _unmeasured(it: _Criterion) -> Iterator[Wording]:
    if not words.HAS_MEASURE.search(it.text):
        yield from _each(
            "wording/unmeasured", words.UNMEASURED, it.text, "“{}” has no number. Write how much, how long or how often, with its unit."
        )


def _negative(it: _Criterion) -> Iterator[Wording]:
    found = words.NEGATIVE.match(it.text, it.shall.start()) if it.shall else None
    if found is None or words.LIMITING.match(it.text, found.end()) or words.TRAILING_CONDITION.search(it.text, found.end()):
        return
    if ears.pattern_of(it.plain) == "ubiquitous":
        message = "A test of “{}” without a condition never ends. Say what the system SHALL do, or WHEN or IF what happens."
        yield _found("wording/negative", found, message)


def _modal(it: _Criterion) -> Iterator[Wording]:
    if it.shall is None and (found := _main_modal(it.text)):
        word = found["modal"]
        message = f"“{word}” leaves open whether this is binding. Write SHALL for what has to be, and leave out what need not be."
        fix = "SHALL" if word.lower() in {"must", "will"} else None
        yield Wording(code="ears/modal", start=found.start("modal"), end=found.end("modal"), message=message, fix=fix)


def _main_modal(text: str) -> re.Match[str] | None:
    condition = words.CONDITION.match(text)
    return words.MODAL.search(text, condition.end()) if condition else words.PLAIN_MODAL.match(text)


def _system(it: _Criterion) -> Iterator[Wording]:
    if it.shall is None:
        return
    subject = it.text[: it.shall.start()]
    pronoun = words.PRONOUN_SUBJECT.search(it.text)
    bare = words.BARE_SYSTEM.search(subject)
    if words.NO_SUBJECT.search(subject):
        yield _found("ears/system", it.shall, "Nothing is named that “{}” could bind. Write the name of the system in front of it.")
    elif pronoun and pronoun.end() == it.shall.end():
        yield _found("ears/system", pronoun, "“{}” names no system. Write its name, as the other criteria do.")
    elif it.systems and bare and bare["word"].lower() not in {name.lower().removeprefix("the ") for name in it.systems}:
        yield _found("ears/system", bare, f"“{{}}” is no name. Write the name of the system: {', '.join(it.systems)}.")


_MARK: Final = "\u00b7"
_OTHERS = re.compile(r"`[^`]*`|\"[^\"]*\"|“[^“”]*”|\]\([^)\s]{0,500}\)|https?://\S+|<!--.{0,500}?-->", re.DOTALL)
_EMPHASIS = re.compile(r"\*+|(?<!\w)_+|_+(?!\w)")
_VAGUE_MESSAGE: Final = "“{}” means something else to everybody. Say what can be seen or measured."
_RULES: Final[tuple[_Rule, ...]] = (
    _vague,
    _escape,
    _open_ended,
    _able_to,
    _passive,
    _combinator,
    _pronoun,
    _absolute,
    _unmeasured,
    _negative,
    _modal,
    _system,
)
