"""Bad params, told as one sentence that names the field."""

from __future__ import annotations

from pydantic import ValidationError

from specthread.domain.model import Refusal

_WORDS = {"prompt": "prompt", "text": "text", "message": "message"}
"""What people call a parameter that holds their own words."""


def complaint(method: str, error: ValidationError) -> Refusal:
    """Returns one sentence that names the first field that does not fit."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        sentence = f"{method} knows no parameter `{name}`."
    elif first["type"] == "missing":
        sentence = f"{method} needs the parameter `{name}`."
    else:
        words = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
        sentence = f"The {_WORDS.get(name, f'parameter `{name}`')} {words[:1].lower()}{words[1:]}."
    return Refusal(code="bad-params", message=sentence, hint="Correct it and try again.")
