"""The words of EARS in ten languages: what opens a condition, what closes it, what obliges, and which language a text is written in.

Keywords are the ones found in real documents. A word that is also prose (“se”, “如”, “Dado”) counts only where its neighbours leave no doubt.
"""

# ruff: noqa: RUF001  the ambiguous characters are the ones that people write in these languages

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

Language = Literal["en", "zh", "ja", "ko", "es", "pt", "ru", "ar", "vi", "other"]

_CASED: Final = {
    "WHILE": "while|mientras|enquanto|пока|trong khi",
    "WHEN": "when|cuando|quando|khi|когда",
    "WHERE": "where|donde|onde|где|nơi",
    "IF": "if|si|если|nếu|(?-i:SE)",
}
_UNCASED: Final = {
    "WHILE": "بينما|أثناء|طالما",
    "WHEN": "当(?![前日天地月年中然事])|當(?![前日天地月年中然事])|每当|每當|عندما|حينما",
    "WHERE": "حيث",
    "IF": "如果|若(?!干)|假如|倘若|万一|萬一|もし(?!く)|仮に|만약|만일|إذا|اذا|لو(?= )",
}
# Only in front of a criterion do these open a condition; within one they are prose.
_OPENING_ONLY: Final = {
    "WHILE": "во время",
    "WHEN": r"при|al(?= \w+[aei]r(?:se)?\b)|ao(?= \w+[aei]r\b)|一旦|عند|いつ(?![もで])",
    "IF": "如(?![下上何此图圖同])|se(?= (?:os?|as?|uma?|não|já|ele|ela|houver|existir(?:em)?|for(?:em)?|nenhuma?|alguma?|qualquer) )",
    "GIVEN": "given|dad[oa]s?(?= )|дано|допустим|giả sử|假设|假設|假定|前提|بافتراض",
}
# A letter of the same kind behind it makes a keyword another word: “whenever”, “If-Match”. Han and kana follow without a space.
_WORD_END: Final = r"(?![a-z\d_'’\u00c0-\u024f\u0400-\u04ff\u0600-\u06ff\u1e00-\u1eff]|-\w)"
_WORD_START: Final = r"(?<![a-zA-Z\d_\u00c0-\u024f\u0400-\u04ff\u1e00-\u1eff-])"


def _named(*tables: dict[str, str]) -> str:
    """One alternation with a group per keyword; “trong khi” is tried before the “khi” in it."""
    kinds = dict.fromkeys(kind for table in tables for kind in table)
    return "|".join(f"(?P<{kind}>{'|'.join(table[kind] for table in tables if kind in table)})" for kind in kinds)


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _capitals() -> str:
    return "|".join(f"(?P<{kind}>{words.replace('(?-i:SE)', 'se').upper()})" for kind, words in _CASED.items())


OPENING: Final = re.compile(rf"(?:{_named(_CASED, _UNCASED, _OPENING_ONLY)}){_WORD_END}", re.IGNORECASE)
LATER_CAPITAL: Final = re.compile(rf"{_WORD_START}(?:{_capitals()}){_WORD_END}")
LATER: Final = re.compile(
    r"(?:, |[,،，、]\s*)(?:and |y |e |и |и, |và |且|并且|並且|而且|و ?)?"
    rf"(?:{_named({kind: words for kind, words in _CASED.items() if kind != 'WHERE'}, _UNCASED)}){_WORD_END}",
    re.IGNORECASE,
)
WHEN_AFTER_GIVEN: Final = re.compile(rf"{_WORD_START}(?:when|cuando|quando|khi|когда)(?![a-z])|当|當|いつ|もし|عندما", re.IGNORECASE)

# Conditions that Chinese, Japanese and Korean close instead of opening them; the exceptions are other words that end alike.
_ZH_WHEN: Final = r"(?<![同实實及定临臨随隨暂暫小即届屆超有按平])[时時](?=[，,])|的[时時]候|(?<![然最今此以])[后後](?=[，,])|[情状狀]况下|情況下|[场場]景下|[条條]件下"
_JA_WHEN: Final = (
    r"(?:とき|場合|際|タイミング|(?<![同一常随即適毎日瞬定臨])時)(?:に(?!限)|は|には|で(?!も))?[、，,]"
    r"|(?:場合|とき|際)(?:は|には)|(?<![同一常随即適毎日瞬定臨])時に(?!間)|(?:たら|れば|ると)[、，,]"
)
_KO_WHEN: Final = r" 때(?:에는|에|는|마다)?(?=[\s,]|$)| 경우(?:에는|에|는)?(?=[\s,]|$)|[하되으르리치나오가들이]면(?=[\s,])"
CLOSING: Final = rf"(?P<WHEN>{_ZH_WHEN}|{_JA_WHEN}|{_KO_WHEN})|(?P<WHILE>[期过過][间間程]中?(?=[，,])|(?<=[るいた])(?:間|限り)(?:は|に)?[、，,]| 동안(?:에|은|에는)?(?=[\s,]))"
CLOSED: Final = rf"[时時](?!间|間)|{_ZH_WHEN}|とき|場合|際|たら|れば|ると|間|{_KO_WHEN}| 동안"

THEN: Final = re.compile(
    rf"{_WORD_START}(?:then|entonces|então|entao|тогда|thì){_WORD_END}|,\s*то\b|那么|那麼|(?<![规規原否准守法细細])[则則]|その後|ならば|그러면|فإن",
    re.IGNORECASE,
)
SHALL: Final = re.compile(r"(?<![a-z\d_])shall(?![a-z\d_])", re.IGNORECASE)
CAPITAL_MUST: Final = re.compile(r"\bMUST\b")
# Compiled when a document is written in the language: that takes a while, and a command line is not to wait for ten of them.
MODALS: Final[Mapping[Language, str]] = MappingProxyType(
    {
        "zh": r"(?<![响響对對反适適相供回效因呼感顺順照])[应應](?![用答变變急聘邀声聲届屆激])|必[须須]|不得|(?<![必无無])[须須]|(?<![按所必])需要?(?![求])|禁止",
        "ja": (
            r"なければ(?:なら|なりません)|必要がある|べき(?:である|だ)|ものとする"
            r"|(?:[うくぐすつぬぶむる]|こと|ない|ます|ません)(?=[。．.]?\s*$|。|[（(][^（()）]*[)）][。．.]?\s*$)"
        ),
        "ko": r"(?:야|어야) (?:한다|합니다|함|하며)|(?:[한된]다|[합됩]니다|[않는]다)(?=[.。]?\s*$|\.)",
        "es": r"(?i)\bdeb(?:er[áa]n?|en?)\b",
        "pt": r"(?i)\bdev(?:er[áa]|erão|em?)\b",
        "ru": r"(?i)\b(?:долж(?:ен|на|но|ны)|обязан[аоы]?)\b",
        "ar": r"يجب|ينبغي|لا بد",
        "vi": r"(?i)\b(?:phải|sẽ|cần)\b",
    }
)
SELF_CLOSING_MODALS: Final = re.compile("ف?يجب")

# The lower-case words that tell languages with Latin letters apart; keywords stand in capitals and so tell nothing.
FUNCTION_WORDS: Final[tuple[tuple[Language, frozenset[str]], ...]] = (
    ("en", _set("the a an of to and or is are be with for in on that by from not it its as at has have any when if all each")),
    (
        "es",
        _set(
            "el la los las un una de del y en con para que por se es no su sus al o lo debe deberá DEBE DEBERÁ CUANDO ENTONCES MIENTRAS como cada está"
        ),
    ),
    (
        "pt",
        _set(
            "o a os as um uma de do da dos das e em no na com para que por se é não seu sua ao ou deve são DEVE DEVERÁ deverá QUANDO ENTÃO ENQUANTO"
        ),
    ),
    ("vi", _set("và của khi người dùng được không hệ thống một các có cho trong với là phải từ đến này theo PHẢI NẾU THÌ KHI")),
    (
        "other",
        _set("le les des du une et est dans pour par sur doit qui der die das und ist ein eine mit von zu den il di che per del è het een"),
    ),
)
# Compiled where they are looked for, too: wide ranges take milliseconds each.
PORTUGUESE: Final = "(?i)[ãõçê]"
VIETNAMESE: Final = "(?i)[đơưạ-ỹ]"
SCRIPTS: Final[tuple[tuple[Language, str], ...]] = (
    ("ja", "[\u3041-\u3096\u30a1-\u30fa]"),
    ("ko", "[\uac00-\ud7a3]"),
    ("zh", "[\u4e00-\u9fff\u3400-\u4dbf]"),
    ("ru", "[\u0400-\u04ff]"),
    ("ar", "[\u0600-\u06ff]"),
)
NOT_LATIN: Final = "[\u0370-\u1dff\u3041-\ud7a3]"
KEYWORDS: Final = re.compile(
    r"\b(?:WHEN|IF|WHILE|WHERE|GIVEN|THEN|AND|OR|NOT|THE|SYSTEM|SHALL|When|If|While|Where|Given|Then|The|[Tt]he|[Ss]ystem|shall)\b"
)
