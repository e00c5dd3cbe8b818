"""The words that `wording.py` looks for, each table with the exceptions that keep it from crying wolf."""

# ruff: noqa: RUF001  the ambiguous characters are the ones that people write in these languages

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from specthread.spec.ears_words import Language


def _any(*words: str) -> re.Pattern[str]:
    return re.compile(_words(*words))


def _words(*words: str) -> str:
    """Whole words in any case; a space in one stands for any white space, so that a wrapped line changes nothing."""
    return rf"(?i)(?<![\w-])(?:{'|'.join(words)})(?![\w-])".replace(" ", r"\s+")


VAGUE: Final = _any(
    "appropriate(?:ly)?",
    "(?:in)?adequate(?:ly)?",
    "(?:un)?suitabl[ey]",
    "user-friendly|user friendly",
    "easy|easily",
    "intuitive(?:ly)?",
    "seamless(?:ly)?",
    "robust(?:ly)?",
    "(?-i:flexibl[ey])",
    "graceful(?:ly)?",
    "(?:in)?efficient(?:ly)?",
    "(?:un)?reasonabl[ey]",
    "sufficient(?:ly)?",
    "meaningful(?:ly)?",
    "proper(?:ly)?",
    "various",
    "several",
    r"(?<!when\s)some(?! (?:of|are|is))",
    r"(?<!how\s)many",
    "clearly",
    "minimal",
    "optimal(?:ly)?",
    "significant(?:ly)?",
    r"(?<!most\s)(?<!no\s)relevant(?! to\b)",
)
# Compiled when a document is written in the language.
VAGUE_ABROAD: Final[Mapping[Language, str]] = MappingProxyType(
    {
        "zh": "适当|適當|合适|合適|友好|尽快|儘快|灵活|靈活|合理",
        "ja": "適切|適宜|柔軟|使いやすい|なるべく|十分な|ユーザーフレンドリー|直感的",
        "ko": "적절(?:한|히|하게)|충분(?:한|히)|유연(?:한|하게)|사용자 친화적|직관적",
        "es": _words(
            "adecuad[oa]s?",
            "adecuadamente",
            "apropiad[oa]s?",
            "fácil(?:es|mente)?",
            "amigables?",
            "intuitiv[oa]s?",
            "eficientemente",
            "vari[oa]s",
        ),
        "pt": _words(
            "adequad[oa]s?", "adequadamente", "apropriad[oa]s?", "fácil|facilmente", "amigáve(?:l|is)", "intuitiv[oa]s?", "vári[oa]s"
        ),
        "ru": _words(
            "удобн(?:ый|ая|ое|ые|о)", "гибк(?:ий|ая|ое|ие|о)", "эффективно", "интуитивно", "надлежащ(?:ий|ая|ее|им|ую)", "корректно"
        ),
        "ar": "بسهولة|سهل الاستخدام|بشكل مناسب",
        "vi": _words("thân thiện", "linh hoạt", "dễ dàng", "phù hợp", "thích hợp"),
    }
)
ESCAPE: Final = _any(
    "(?:if|where|when|whenever|wherever|as far as|to the extent) (?:possible|feasible|practicable|practical)",
    "(?:if|where|when) (?:necessary|needed|appropriate|applicable|required)",
    "as (?:much|soon|quickly|far|closely|many) as possible",
    "as (?:needed|necessary|appropriate|applicable|required)",
    "unless (?:absolutely )?(?:necessary|impossible|unavoidable)",
    "best effort",
)
OPEN_ENDED: Final = re.compile(
    r"\betc\b\.?|\band\s+so\s+(?:on|forth)\b|\b(?:including,?\s+)?but\s+(?:is\s+|are\s+)?not\s+limited\s+to\b"
    r"|\band\s+(?:many\s+)?(?:more|others)\b(?=\s*[.;)]|\s*$)|\band\s+the\s+like\b|\bamong\s+others\b|,\s*(?:\.\.\.|…)",
    re.IGNORECASE,
)
ABILITY: Final = re.compile(r"\b(?P<shall>shall)\s+be\s+able\s+to\b", re.IGNORECASE)
CAPACITY: Final = re.compile(
    r"\bshall\s+(?:not\s+be\s+able\s+to|(?:not\s+)?be\s+capable\s+of|(?:provide|have|offer|include)\s+(?:the|an)\s+(?:ability|capability|capacity)\s+(?:to|for|of))\b",
    re.IGNORECASE,
)
PERSON: Final = re.compile(r"\b(?:users?|admin\w*|developers?|players?|customers?|members?|people|they|agents?|who|I)\W+$", re.IGNORECASE)
PASSIVE: Final = re.compile(
    r"\bshall\s+(?:not\s+)?(?:also\s+)?be\s+(?:\w+ly\s+)?"
    r"(?P<participle>\w{2,}ed|sent|shown|built|kept|made|found|given|hidden|written|taken|held|read|set|run|put|thrown|stored|drawn|chosen|broken|withdrawn|brought)\b",
    re.IGNORECASE,
)
# States rather than deeds: nobody has to be named for them.
ADJECTIVES: Final = re.compile(
    r"un\w+ed|(?:pre|non)?\w*need|red|named|based|located|limited|required|allowed|permitted|enabled|disabled|related|detailed|supported"
    r"|advanced|expected|compressed|indented|aligned|centered|nested|authorized|considered|interested|dedicated|distributed|well-formed|fixed",
    re.IGNORECASE,
)
BY_AGENT: Final = re.compile(r"[^.;]*?\bby\s+(?:the|a|an|each|every|[A-Z·])(?!\s*default)")
COMBINATOR: Final = re.compile(
    r"\b(?:and\s+then|and|or|then)\s+(?:not\s+)?(?-i:"
    r"(?:create|send|save|generate|validate|notify|redirect|prevent|provide|allow|remove|delete|ensure|maintain|preserve|render|reject|include"
    r"|persist|retry|continue|emit|append|terminate|initiali[sz]e|invoke|ignore|skip|retain|discard|add|assign|calculate|compute|proceed|navigate"
    r"|restore|hide|enable|disable|expose|populate|propagate|abort|deny|reuse|resolve|replace|insert|suggest|advise|inform)"
    r"|(?:log|store|return|show|display|report|update|request|record|mark|set|start|stop|close|open|refresh|call|write|read|print|raise|throw|list"
    r"|exit|trigger|prompt|present|reset|load|move|copy|cancel|clear|check|keep|use|offer|highlight|queue|process|run|make|fall|fail|publish|parse|apply|download|upload)"
    r"(?=\s+(?:the|a|an|any|all|each|every|its|their|it|them|that|this|these|no|only|to|with|without|back|successfully|appropriate|clear)\b|\s+·)"
    r")\b",
    re.IGNORECASE,
)
SUBORDINATE: Final = re.compile(
    r"\bto\s+(?!(?:the|a|an|its|their|each|all|every|any)\b)|[;:]|[.]\s"
    r"|\b(?:that|which|who|where|when|while|if|unless|until|so|can|could|will|would|must|may|lets?|helps?|whether|how)\b",
    re.IGNORECASE,
)
PRONOUN: Final = re.compile(
    r"\b(?:it(?!\s+(?:is|was)\s+(?:possible|necessary|\w+ed\s+that))|them)\b(?!\s+shall\b)"
    r"|\b(?:this|these|those)(?=\s+(?:is|are|should|must|will|has|have|does|can)\b|\s*[.,;]|\s*$)",
    re.IGNORECASE,
)
NOUN: Final = re.compile(
    r"\b(?:the|a|an|each|every|any)\s+(?!user|admin|person|developer|player|customer|agent|system\b|application\b|app\b)(?![^,.;]*\bshall\b)[\w-]+",
    re.IGNORECASE,
)
PRONOUN_SUBJECT: Final = re.compile(r"\b(?:it|they|this|these|those|he|she|we|I|you)\s+shall\b", re.IGNORECASE)
NO_SUBJECT: Final = re.compile(r"(?:^|,|\bthen|\bthen\s+the|^\s*the)\s*$", re.IGNORECASE)
BARE_SYSTEM: Final = re.compile(r"\b(?:the\s+)?(?P<word>system|application|app|software|program)(?=\s*$)", re.IGNORECASE)
ABSOLUTE: Final = _any(
    "always",
    "never",
    "at all times",
    "under (?:all|any) circumstances",
    "completely",
    "perfectly",
    "absolutely",
    "guarantees?|guaranteed",
    r"100\s?% (?:of the time|uptime|availability|accura\w+|reliab\w+|secure)",
    "zero (?:downtime|errors?|defects?|bugs|data loss)",
    "any and all",
    "in all (?:cases|situations)",
)
UNMEASURED: Final = _any(
    "quickly",
    "rapidly",
    "promptly",
    "immediately(?! (?:before|after|following|below|above|preceding|adjacent))",
    "instantly",
    "instantaneously",
    "slowly",
    "soon",
    "fast",
    "faster",
    "timely",
    "(?:near )?(?:in )?real(?:-| )time(?! \\w)",
    "within (?:a |an )?(?:reasonable|acceptable|short) (?:time|period|delay)\\w*",
    "(?:large|huge|small|high|low) (?:number|numbers|amounts?|quantit(?:y|ies)|volumes?) of",
    "large (?:files?|datasets?|data ?sets?|lists?|albums?|documents?|collections?)",
    "(?:high|low|good|better|best|optimal|acceptable) (?:performance|availability|latency|throughput|quality|response times?)",
    "frequently",
    "regularly",
    "periodically",
    "responsive(?! (?:design|layout|breakpoints?|grid))",
    "performant",
    "scalabl[ey]",
    "smooth(?:ly)?",
)
HAS_MEASURE: Final = re.compile(
    r"\d\s*(?:ms|s|sec|secs|seconds?|minutes?|mins?|hours?|h|days?|weeks?|months?|%|percent|[kmgt]i?b|bytes?|fps|hz|px|items?|users?|requests?|times?|files?|photos?)\b"
    r"|\d\s*%|\b(?:one|two|three|five|ten|thirty|sixty)\s+(?:seconds?|minutes?|hours?|days?)\b",
    re.IGNORECASE,
)
NEGATIVE: Final = re.compile(r"\bshall\s+(?:not|never)\b(?!\s+only)", re.IGNORECASE)
LIMITING: Final = re.compile(
    r"\s+(?:exceed|be\s+(?:more|greater|less|longer|larger|fewer|smaller)\b|take\s+(?:more|longer)|require)\b", re.IGNORECASE
)
TRAILING_CONDITION: Final = re.compile(
    r"\b(?:when|if|while|unless|until|before|after|during|once|without|except|than|other than|longer)\b", re.IGNORECASE
)
# The modal of the main clause: behind THEN or a comma where a condition opens the criterion, else the first one of the sentence.
CONDITION: Final = re.compile(r"\W*(?:when|if|while|where)\b.*?(?:\bthen\b|,)", re.IGNORECASE | re.DOTALL)
MODAL: Final = re.compile(r"\b(?P<modal>should|may|will|can|must)\b(?!\s*\d)", re.IGNORECASE)
PLAIN_MODAL: Final = re.compile(
    r"(?!\W*(?:when|if|while|where|given|after|before|until|once)\b)(?:(?!\b(?:that|which|who|what|how|so|because)\b)[^.,:;])*?"
    r"\b(?P<modal>should|may|will|can|must)\b(?!\s*\d)",
    re.IGNORECASE,
)
