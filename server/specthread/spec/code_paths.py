"""Which files of a repository hold code that may speak of requirements, and which of them are tests."""

import re
from collections.abc import Iterable
from fnmatch import translate
from functools import lru_cache
from typing import Final


def is_test(path: str, own: Iterable[str] = ()) -> bool:
    """Whether a path is that of a test: by one of these patterns where there are any, else by the usual conventions of languages and runners."""
    own = tuple(own)
    return matches(path, own) if own else _TEST.search(path) is not None


def is_prose(path: str) -> bool:
    """Whether a file is written for people: what a README says of a requirement neither builds nor tests it."""
    return path.casefold().endswith(_PROSE)


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns names the path or a folder above it; `*` stands for any characters, and without `/` a pattern names a file or folder anywhere."""
    return any(pattern_of(pattern).match(path) for pattern in patterns)


@lru_cache(maxsize=256)
def pattern_of(pattern: str) -> re.Pattern[str]:
    """What matches the paths that a pattern names, as `matches` says."""
    bare = pattern.strip().removeprefix("./").rstrip("/")
    front = "" if "/" in bare else r"(?:.*/)?"
    # `**/` also stands for no folder at all.
    pieces = [translate(piece).removesuffix(r"\Z").removesuffix(r"\z") for piece in bare.split("**/")]
    return re.compile(front + r"(?:.*/)?".join(pieces) + r"(?:/.*)?\Z", re.DOTALL)


_PROSE: Final = (".md", ".markdown", ".mdx", ".rst", ".adoc", ".txt")
_TEST: Final = re.compile(
    r"(?:^|/)(?:tests?|__tests?__|testing|spec|specs|e2e|cypress)/"
    r"|(?:^|/)(?:test_[^/]*|conftest)\.[^/.]+$"
    r"|(?:^|/)[^/]*[._-](?:tests?|spec|e2e|cy)\.[^/]+$"
    r"|(?:^|/)[^/]*[a-z0-9](?:Tests?|Spec|IT|TestCase)\.(?:java|kt|kts|scala|groovy|cs|fs|swift|php|m|dart)$"
    r"|(?:^|/)Test[A-Z][^/]*\.(?:java|kt)$"
)
