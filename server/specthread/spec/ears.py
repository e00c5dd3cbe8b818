"""The EARS form of one criterion: which pattern it follows and where it departs from it.

Forms: `THE system SHALL …`, `WHEN event, THE …`, `WHILE state, THE …`, `WHERE feature, THE …`, `IF unwanted, THEN THE …`, and combinations.
Both layouts in use are read: `WHEN x, THE y SHALL z` and `WHEN x THEN the y SHALL z`. The first keyword counts in any case; where it is in
capitals, so must be those that follow, because a plain “if” within a condition is prose.
"""

import re
from typing import Final, Literal

Pattern = Literal["ubiquitous", "event", "state", "optional", "unwanted", "complex", "none"]


def pattern_of(text: str) -> Pattern:
    """The EARS pattern of a criterion; `none` where neither a keyword opens it nor a SHALL says what must hold."""
    plain = spoken(text)
    kinds = {_KINDS[word] for word in condition_words(plain)}
    if len(kinds) > 1:
        return "complex"
    if kinds:
        return kinds.pop()
    return "ubiquitous" if _SHALL.search(plain) and not _FOREIGN_OPENING.match(plain) else "none"


def spoken(text: str) -> str:
    """The criterion without emphasis marks, and with quotations and inline code emptied: their words are not the author's."""
    return _QUOTED.sub('""', _EMPHASIS.sub("", text)).strip()


def condition_words(plain: str) -> list[str]:
    """The condition keywords in front of the first SHALL in order, in capitals; `plain` comes from `spoken`."""
    shall = _SHALL.search(plain)
    head = plain[: shall.start()] if shall else plain
    first = _CONDITION.match(head)
    if first is None:
        return []
    later = _CAPITAL_CONDITION if first[1].isupper() else _LATER_CONDITION
    return [first[1].upper(), *(found[1].upper() for found in later.finditer(head, first.end()))]


def shall_counts(plain: str) -> list[int]:
    """How many SHALL each sentence of the criterion holds."""
    return [len(_SHALL.findall(sentence)) for sentence in _SENTENCE_END.split(plain)]


def has_separator(plain: str) -> bool:
    """Whether a comma or THEN stands between the condition and the SHALL."""
    shall = _SHALL.search(plain)
    return _SEPARATOR.search(plain[: shall.start()] if shall else plain) is not None


def has_then(plain: str) -> bool:
    """Whether THEN stands in front of the SHALL."""
    shall = _SHALL.search(plain)
    return _THEN.search(plain[: shall.start()] if shall else plain) is not None


def in_clause_order(words: list[str]) -> bool:
    """Whether condition keywords follow the order WHERE, WHILE, then WHEN or IF."""
    ranks = [_RANKS[word] for word in words]
    return ranks == sorted(ranks)


def is_english(text: str) -> bool:
    """Whether most letters are Latin ones without accents, so that rules about English words may speak."""
    letters = [char for char in text if char.isalpha()]
    return not letters or sum(char.isascii() for char in letters) >= _ENGLISH_SHARE * len(letters)


_ENGLISH_SHARE = 0.9
_KINDS: Final[dict[str, Pattern]] = {"WHEN": "event", "WHILE": "state", "WHERE": "optional", "IF": "unwanted"}
_RANKS: Final = {"WHERE": 0, "WHILE": 1, "WHEN": 2, "IF": 2}
_EMPHASIS = re.compile(r"\*+|(?<!\w)_+|_+(?!\w)")
_QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|“[^”]*”")
_SHALL = re.compile(r"\bshall\b", re.IGNORECASE)
_THEN = re.compile(r"\bthen\b", re.IGNORECASE)
_SEPARATOR = re.compile(r"[,\uff0c\u3001]|\bthen\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.;\u3002\uff1b](?=\s|$)")
_CONDITION = re.compile(r"(when|while|where|if)\b", re.IGNORECASE)
_CAPITAL_CONDITION = re.compile(r"\b(WHEN|WHILE|WHERE|IF)\b")
_LATER_CONDITION = re.compile(r", (?:and )?(when|while|if)\b", re.IGNORECASE)
_FOREIGN_OPENING = re.compile(r"(?:given|before|after|until|once|unless)\b", re.IGNORECASE)
