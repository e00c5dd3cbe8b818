"""Keeps keys out of what is written to git: the daemon's own secret values, and anything in the shape of a key."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from specthread.domain.text import sound_text

REDACTED = "[redacted]"
# `sk-` ends many a word (`task-list-item`) and begins names of our own: what is of no known kind begins there, or after an escaped line end, and has a long piece
# with a digit. A private key without its end, because the text was cut, is hidden to the end of the text.
_KEY_SHAPES = re.compile(
    r"sk-(?:ant|proj|svcacct)-[A-Za-z0-9_-]{16,}"
    r"|(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))sk-(?:[A-Za-z0-9]{1,12}-){0,3}(?=[A-Za-z0-9_]*[0-9])[A-Za-z0-9_]{16,}[A-Za-z0-9_-]*"
    r"|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|AKIA[0-9A-Z]{16}|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)"
)

# What `.env` files and their like hold: `KEY=value`, `export KEY="value"`, `key: value`; and the password of an address.
_SETTING = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?["']?([A-Za-z_][\w.-]*)["']?[ \t]*[:=][ \t]*(["']?)(.+?)\2[ \t]*[,;]?(?:[ \t]+\#.*)?[ \t]*$""", re.MULTILINE
)
_SECRET_NAME = re.compile(r"key|token|secret|passw|pwd|credential|auth(?!or)|private", re.IGNORECASE)
# A lifetime of a token and flags for a key are none; a password may well be a number.
_OPTION = re.compile(r"--[a-z][a-z-]*(?:[=\s]|$)")
_NUMBER = re.compile(r"[\d_.,]{1,15}$")
_PASSWORD_NAME = re.compile(r"(?:passw(?:or)?d|pwd|secret|pin)$", re.IGNORECASE)
_PASSWORD = re.compile(r"://[^:/@\s]*:([^@/\s]+)@")
_NAMED, _UNNAMED = 6, 16
"""Characters from which a value counts as a secret: where its name says so, and where only its letters and digits do."""


def secret_values(text: str) -> tuple[str, ...]:
    """Returns the values in a file of settings that look like secrets, by their name or by themselves; `localhost` and `true` are none."""
    found = {match[1] for match in _PASSWORD.finditer(text)}
    for name, _, value in _SETTING.findall(text):
        mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value)) and not any(map(str.isspace, value))
        if (
            len(value) >= (_NAMED if _SECRET_NAME.search(name) else _UNNAMED)
            and (mixed or _SECRET_NAME.search(name))
            and "://" not in value
            and not _OPTION.match(value)
            and (_PASSWORD_NAME.search(name) or not _NUMBER.match(value))
        ):
            found.add(value)
    return tuple(sorted(found))


def redacted(text: str, secrets: Sequence[str] = ()) -> str:
    """Returns the text as it may be written down: sound, without the given secret values and without anything in the shape of a key.

    To be called on one whole thing that was said, before it is cut: half a key has no shape.
    """
    text = sound_text(text)
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return _KEY_SHAPES.sub(REDACTED, text)


def without_secrets(value: Any, secrets: Sequence[str] = ()) -> Any:  # noqa: ANN401  any value that JSON can hold
    """Returns a value with each text in it as it may be written down."""
    if isinstance(value, str):
        return redacted(value, secrets)
    if isinstance(value, dict):
        return {key: without_secrets(item, secrets) for key, item in value.items()}
    return [without_secrets(item, secrets) for item in value] if isinstance(value, list | tuple) else value


def secret_spans(text: str, secrets: Sequence[str] = ()) -> tuple[tuple[int, int], ...]:
    """Returns where in a text the given values, and what has the shape of a key, begin and end."""
    patterns = [_KEY_SHAPES, *(re.compile(re.escape(secret)) for secret in secrets if secret)]
    return tuple(found.span() for pattern in patterns for found in pattern.finditer(text))


def lines_with_secrets(text: str, secrets: Sequence[str] = ()) -> tuple[int, ...]:
    """Returns the lines, from 1, that hold one of the secret values or something in the shape of a key.

    Of the values count those that nobody writes by chance: a password that is a short word, such as `postgres`, stands in many a text that tells nothing.
    """
    telling = [re.escape(secret) for secret in secrets if len(secret) >= _UNNAMED or (len(secret) >= _NAMED and not secret.isalpha())]
    shapes = [_KEY_SHAPES, *([re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(telling)})(?![A-Za-z0-9])")] if telling else [])]
    ends = [end.start() for end in re.finditer("\n", text)]
    return tuple(sorted({bisect_left(ends, match.start()) + 1 for shape in shapes for match in shape.finditer(text)}))
