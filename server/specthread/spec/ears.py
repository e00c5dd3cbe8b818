"""The EARS form of one criterion: which pattern it follows and where it departs from it.

Forms: `THE system SHALL …`, `WHEN event, THE …`, `WHILE state, THE …`, `WHERE feature, THE …`, `IF unwanted, THEN THE …`, and combinations.
Both layouts in use are read: `WHEN x, THE y SHALL z` and `WHEN x THEN the y SHALL z`. The first keyword counts in any case; where it is in
capitals, so must be those that follow, because a plain “if” within a condition is prose. Translated keywords count like the English ones,
also beside them; Chinese, Japanese and Korean may close a condition (“…とき、”) instead of opening it. The words are in `ears_words.py`.
"""

import re
from typing import Final, Literal

from specthread.spec import ears_words as words
from specthread.spec.ears_words import Language

Pattern = Literal["ubiquitous", "event", "state", "optional", "unwanted", "complex", "none"]


def pattern_of(text: str) -> Pattern:
    """The EARS pattern of a criterion; `none` where neither a keyword opens it nor a modal says what must hold."""
    plain = spoken(text)
    kinds = {_KINDS[word] for word in condition_words(plain)}
    if len(kinds) > 1:
        return "complex"
    if kinds:
        return kinds.pop()
    return "none" if _FOREIGN_OPENING.match(plain) or _modal(plain) is None else "ubiquitous"


def spoken(text: str) -> str:
    """The criterion without emphasis marks, and with quotations and inline code emptied: their words are not the author's."""
    if "*" in text or "_" in text:
        text = _EMPHASIS.sub("", text)
    if _QUOTES.search(text):
        text = _QUOTED.sub('""', text)
    return text.strip()


def condition_words(plain: str) -> list[str]:
    """The condition keywords in front of the first modal in order, as English ones in capitals; `plain` comes from `spoken`."""
    first = words.OPENING.match(plain)
    if first is None:
        return [] if plain.isascii() else _closing_words(_head(plain))
    if first.lastgroup == "GIVEN":
        return ["WHEN"] if words.WHEN_AFTER_GIVEN.search(plain, first.end()) else []
    head = _head(plain)
    later = words.LATER_CAPITAL if first[0].isupper() else words.LATER
    return [str(first.lastgroup), *(str(found.lastgroup) for found in later.finditer(head, first.end()))]


def shall_counts(plain: str) -> list[int]:
    """How many SHALL each sentence of the criterion holds; without any SHALL, how often each holds the first translated modal."""
    sentences = _SENTENCE_END.split(plain)
    if words.SHALL.search(plain) is not None:
        return [len(words.SHALL.findall(sentence)) for sentence in sentences]
    modals = words.MODALS.get(language_of(plain))
    first = re.search(modals, plain) if modals else None
    if modals is None or first is None:
        return [0] * len(sentences)
    return [re.findall(modals, sentence).count(first[0]) for sentence in sentences]


def has_separator(plain: str) -> bool:
    """Whether a comma, THEN, or a word that closes a condition by itself stands in front of the modal."""
    modal = _modal(plain)
    head = plain[: modal.start()] if modal else plain
    if _COMMA.search(head) or words.THEN.search(head):
        return True
    return not plain.isascii() and (re.search(words.CLOSED, head) is not None or words.SELF_CLOSING_MODALS.search(plain) is not None)


def has_then(plain: str) -> bool:
    """Whether THEN stands in front of the modal."""
    return words.THEN.search(_head(plain)) is not None


def in_clause_order(words_in_order: list[str]) -> bool:
    """Whether condition keywords follow the order WHERE, WHILE, then WHEN or IF."""
    ranks = [_RANKS[word] for word in words_in_order]
    return ranks == sorted(ranks)


def is_english(text: str) -> bool:
    """Whether the text is English as far as can be told, so that rules about English words may speak."""
    return language_of(text) == "en"


def language_of(text: str) -> Language:
    """The language of the prose, whatever the language of its keywords; `en` where nothing tells, `other` for any not in the list."""
    if not text.isascii() and (foreign := len(re.findall(words.NOT_LATIN, text))):
        latin = len(_LATIN.findall(words.KEYWORDS.sub("", text)))
        # Names and code are Latin in every language, so that the other script needs no majority; English prose shows by its small words.
        if foreign * _SCRIPT_WEIGHT >= latin or len(_ENGLISH & set(text.split())) < _PROSE:
            return next((language for language, script in words.SCRIPTS if re.search(script, text)), "other")
    return _latin_language(text)


def _latin_language(text: str) -> Language:
    tokens = set(text.split())
    language, count = max(((language, len(tokens & known)) for language, known in words.FUNCTION_WORDS), key=lambda found: found[1])
    if text.isascii():
        return language if count >= _PROSE else "en"
    if len(re.findall(words.VIETNAMESE, text)) > 1:
        return "vi"
    if language in {"es", "pt"}:
        return "pt" if re.search(words.PORTUGUESE, text) else "es" if _SPANISH.search(text) else language
    letters = [char for char in text if char.isalpha()]
    english = sum(char.isascii() for char in letters) >= _ENGLISH_SHARE * len(letters)
    return language if count >= _PROSE or english else "other"


def _modal(plain: str) -> re.Match[str] | None:
    """The first word that obliges: SHALL where there is one, else MUST in capitals or the modal of the language."""
    return words.SHALL.search(plain) or re.search(words.MODALS.get(language_of(plain)) or words.CAPITAL_MUST, plain)


def _head(plain: str) -> str:
    modal = _modal(plain)
    return plain[: modal.start()] if modal else plain


def _closing_words(head: str) -> list[str]:
    found = re.search(words.CLOSING, head)
    return [str(found.lastgroup)] if found else []


_ENGLISH_SHARE: Final = 0.9
_SCRIPT_WEIGHT: Final = 2
_PROSE: Final = 2
_ENGLISH: Final = dict(words.FUNCTION_WORDS)["en"]
_KINDS: Final[dict[str, Pattern]] = {"WHEN": "event", "WHILE": "state", "WHERE": "optional", "IF": "unwanted"}
_RANKS: Final = {"WHERE": 0, "WHILE": 1, "WHEN": 2, "IF": 2}
_EMPHASIS = re.compile(r"\*+|(?<!\w)_+|_+(?!\w)")
_QUOTES = re.compile('[`"“]')
_QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|“[^“”]*”")
_COMMA = re.compile(r"[,\uff0c\u3001\u060c]")
_SENTENCE_END = re.compile(r"[.;](?=\s|$)|[\u3002\uff1b]")
_FOREIGN_OPENING = re.compile(r"(?:given|before|after|until|once|unless)\b", re.IGNORECASE)
_LATIN = re.compile("[A-Za-z]")
_SPANISH = re.compile("[ñ¿¡áíúó]")
