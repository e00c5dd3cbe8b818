"""What went wrong with a call, from what the server answered: its kind, and one sentence that says what to do. Classes and statuses are unreliable here, error types are not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from specthread.agents.allowance import retry_after
from specthread.agents.backend import ErrorKind, ModelError, Usage

WAY_TO_A_KEY: Final = "Put a working one into ANTHROPIC_API_KEY, then run `specthread daemon stop` and `specthread daemon start`"
_KINDS: Final[Mapping[str, ErrorKind]] = {
    "rate_limit_error": "rate_limited",
    "overloaded_error": "overloaded",
    "authentication_error": "auth",
    "permission_error": "forbidden",
    "request_too_large": "too_long",
    "invalid_request_error": "bad_request",
    "not_found_error": "not_found",
}
_KINDS_BY_STATUS: Final[Mapping[int, ErrorKind]] = {
    401: "auth", 403: "forbidden", 404: "not_found", 405: "not_found", 413: "too_long", 429: "rate_limited", 529: "overloaded",
}  # fmt: skip
_ADVICE: Final[Mapping[str, str]] = {
    "not_found": " Check `messages.base_url` and the model's name in your settings.",
    "rate_limited": " Wait, or ask your provider for a higher limit.",
    "forbidden": " Choose a model that your key may use, or another key.",
}
_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Is what a server answered instead of a reply, to a call for `model` at `url`; `error_type` is the API's own word, where it used one."""

    url: str
    model: str
    status: int
    headers: Mapping[str, str]
    body: str
    error_type: str = ""
    request_id: str = ""


def error_from_answer(answer: Answer, usage: Usage | None) -> ModelError:
    """Returns what an answer with an error is; one in the middle of a stream has status 200, and only its type tells what it is."""
    kind = _KINDS.get(answer.error_type) or _KINDS_BY_STATUS.get(answer.status)
    if kind is None:
        kind = "server" if _is_server(answer.status) else "bad_request"
    said = _said(answer)
    if kind == "bad_request" and "too long" in said.lower():
        kind = "too_long"
    retryable = kind in {"rate_limited", "overloaded", "server"}
    if kind != "auth" and (wish := answer.headers.get("x-should-retry")) is not None:
        retryable = wish == "true"
    wait = None if kind == "auth" else retry_after(answer.headers, datetime.now(UTC))
    message = _sentences(kind, answer, said)
    return ModelError(kind, message, retryable=retryable, retry_after=wait, usage=usage, request_id=answer.request_id)


def not_a_stream(answer: Answer) -> ModelError:
    """Returns what an answer is that succeeded and is no stream of events: whatever answers there, it is not a Messages API."""
    came = _page(answer) or f"{_content_type(answer) or 'something'} (“{_glimpse(answer.body)}”)"
    message = (
        f"{address(answer.url)} does not answer as a Messages API: instead of a stream of events came {came}. "
        "Check `messages.base_url` in your settings."
    )
    return ModelError("not_found", message, retryable=False, request_id=answer.request_id)


def is_stream(headers: Mapping[str, str]) -> bool:
    """Tells whether an answer is a stream of events, by its type; one that names no type gets the benefit of the doubt."""
    kind = headers.get("content-type", "").lower()
    return not kind or "event-stream" in kind or "eventstream" in kind


def address(url: str) -> str:
    """Returns an address as it may be shown, without names and passwords in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")


def _sentences(kind: ErrorKind, answer: Answer, said: str) -> str:
    where = address(answer.url)
    request = f", request {answer.request_id}" if answer.request_id else ""
    if kind == "auth":
        return f"The key for {where} was refused (HTTP {answer.status}{request}: {said}). {WAY_TO_A_KEY}."
    if kind == "not_found" and "model" in said.lower():
        return (
            f"The Messages API at {where} has no model `{answer.model}` (HTTP {answer.status}{request}: {said}). "
            "Choose another with `model` in your settings or the role's file; `specthread doctor --models` says which of yours exist."
        )
    return f"The Messages API at {where} answered HTTP {answer.status}{request}: {said}.{_ADVICE.get(kind, '')}"


def _said(answer: Answer) -> str:
    """Returns what the server itself said, where its answer has the form of the API's errors."""
    if page := _page(answer):
        return page
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return _glimpse(answer.body).rstrip(".") or "nothing more was said"
    inner = body.get("error") if isinstance(body, dict) else None
    text = inner.get("message") if isinstance(inner, dict) else inner
    return _glimpse(str(text or answer.body)).rstrip(".")


def _page(answer: Answer) -> str:
    """Returns what a web page is called, or nothing for any other answer."""
    if "html" not in _content_type(answer) and not answer.body.lstrip()[:9].lower().startswith(("<!doctype", "<html")):
        return ""
    title = _TITLE.search(answer.body)
    return f"a web page, “{_glimpse(title[1])}”" if title and title[1].strip() else "a web page"


def _content_type(answer: Answer) -> str:
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower()


def _glimpse(text: str) -> str:
    return " ".join(text.split())[:300]


def _is_server(status: int) -> bool:
    return status >= 500 or status in {200, 408, 409}  # noqa: PLR2004  HTTP: server's fault, or "try again"
