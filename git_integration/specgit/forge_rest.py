"""Speaking REST with a forge: one request, its pages, and for each fault a sentence that says what to do.

No redirect is followed, so that a token reaches nobody but the host it is for.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2

from specgit.errors import mask
from specgit.forge import PullRequest
from specgit.remote_errors import (
    AlreadyThere,
    ForgeBroken,
    ForgeError,
    NotFound,
    NotPermitted,
    NotTaken,
    RateLimited,
    TokenRefused,
    Unreachable,
)

SECONDS = 20.0
MOST_PAGES = 50
PAGE = 100
"""How many of a list come at once, the most that both forges give."""
Json = Any
"""Whatever a forge answered; each reader takes out what it knows."""


class Rest:
    """One repository's part of a forge's REST interface."""

    def __init__(self, *, api: str, name: str, headers: Mapping[str, str], sign_in: str) -> None:
        """`name` is told in sentences, `sign_in` is what a person runs to get a token."""
        self._name = name
        self._sign_in = sign_in
        self._api = api
        self._client = httpx2.AsyncClient(headers={"User-Agent": "specthread", **headers}, timeout=SECONDS, follow_redirects=False)

    async def close(self) -> None:
        """Gives the connections back."""
        await self._client.aclose()

    async def get(self, path: str, **params: str | int) -> Json:
        """Reads one thing."""
        return _json(await self._ask("GET", f"{self._api}{path}", params=params), self._name)

    async def send(self, method: str, path: str, body: Mapping[str, Json]) -> Json:
        """Changes something."""
        return _json(await self._ask(method, f"{self._api}{path}", body=body), self._name)

    async def pages(self, path: str, *, key: str = "", **params: str | int) -> AsyncIterator[Json]:
        """Yields the items of a list, page by page; `key` names the list where it is wrapped."""
        url: str | None = f"{self._api}{path}"
        asked: Mapping[str, str | int] = {"per_page": PAGE, **params}
        for _ in range(MOST_PAGES):
            answer = await self._ask("GET", url or "", params=asked)
            found = _json(answer, self._name)
            items = found.get(key) if key and isinstance(found, dict) else found
            for item in items if isinstance(items, list) else ():
                yield item
            url, asked = answer.links.get("next", {}).get("url"), {}
            if url is None:
                return
            self._stay(url)

    def _stay(self, url: str) -> None:
        """Refuses a next page elsewhere, which would be sent the token."""
        here, there = urlsplit(self._api), urlsplit(url)
        if (here.scheme, here.netloc) != (there.scheme, there.netloc):
            raise ForgeBroken(f"{self._name} says that its list goes on at {there.netloc}, which was not asked. Tell whoever runs it.")

    async def _ask(
        self, method: str, url: str, *, params: Mapping[str, str | int] | None = None, body: Mapping[str, Json] | None = None
    ) -> httpx2.Response:
        try:
            answer = await self._client.request(method, url, params=dict(params or {}) or None, json=body)
        except httpx2.TransportError as error:
            what = "did not answer in time" if isinstance(error, httpx2.TimeoutException) else "cannot be reached"
            raise Unreachable(f"{self._name} {what}. Check the network, then ask again.") from error
        if not answer.is_success:
            raise self._fault(answer)
        return answer

    def _fault(self, answer: httpx2.Response) -> ForgeError:
        code, said = answer.status_code, said_by(answer)
        if code == 429 or (code == 403 and _is_exhausted(answer)):  # noqa: PLR2004  a status
            return self._limited(answer)
        if code == 401:  # noqa: PLR2004  a status
            return TokenRefused(f"{self._name} does not accept the token: {said}. Get a new one: {self._sign_in}.")
        if code == 403:  # noqa: PLR2004  a status
            return NotPermitted(
                f"{self._name} does not let this token do that: {said}. Give it the right to write pull requests: {self._sign_in}."
            )
        if code == 404:  # noqa: PLR2004  a status
            return NotFound(
                f"{self._name} shows no such repository or pull request to this token. Check the remote's address and the token's rights."
            )
        if code >= 500:  # noqa: PLR2004  a status
            return ForgeBroken(f"{self._name} failed ({code}: {said}). That is not yours to mend: ask again in some minutes.")
        if answer.is_redirect:
            return NotFound(f"{self._name} says that the repository has moved. Give the remote its new address: git remote set-url.")
        kind = AlreadyThere if code in {409, 422} and "already exists" in said.lower() else NotTaken
        return kind(f"{self._name} refused ({code}): {said}. Change that, then ask again.")

    def _limited(self, answer: httpx2.Response) -> RateLimited:
        seconds = _wait_of(answer.headers)
        when = f"in {_spoken(seconds)}" if seconds is not None else "later"
        return RateLimited(f"{self._name} was asked too often and takes nothing more for now. Ask again {when}.", seconds)


@contextmanager
def understood(name: str) -> Iterator[None]:
    """Turns an answer that has not the form its readers know into ForgeBroken."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ForgeBroken(f"{name} answered in a form that was never seen. Check that the address of its interface is right.") from error


async def open_or_find(opening: Awaitable[PullRequest], find: Callable[[], Awaitable[PullRequest | None]]) -> PullRequest:
    """Returns what was opened; where an open one of that branch is there already, that one."""
    try:
        opened = await opening
    except AlreadyThere:
        known = await find()
        if known is None:
            raise
        return known
    return opened


def best(found: Iterable[PullRequest]) -> PullRequest | None:
    """Returns the open one of a branch's pull requests, else the newest."""
    return max(found, key=lambda each: (each.state == "open", each.number), default=None)


def said_by(answer: httpx2.Response) -> str:
    """Returns a forge's own words about a refusal, as one short line."""
    try:
        found = answer.json()
    except ValueError:
        return answer.reason_phrase or "no reason was given"
    words = list(_words(found))
    return mask(" ".join("; ".join(dict.fromkeys(words)).split()).rstrip("."))[:300] or answer.reason_phrase


def _words(found: Json) -> list[str]:
    """The texts of both forges' refusals: `message` and `errors`, which may hold texts, lists and objects, or `error`."""
    if isinstance(found, str):
        return [found]
    if isinstance(found, list):
        return [word for each in found for word in _words(each)]
    if not isinstance(found, dict):
        return []
    keys = [key for key in ("message", "errors", "error", "error_description") if key in found]
    if keys:
        return [word for key in keys for word in _words(found[key])]
    texts = {key: _words(value) for key, value in found.items() if key not in {"documentation_url", "status"}}
    return [f"{key} {word}" if isinstance(found[key], list) else word for key, words in texts.items() for word in words]


def _is_exhausted(answer: httpx2.Response) -> bool:
    return answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers or "rate limit" in said_by(answer).lower()


def _wait_of(headers: Mapping[str, str]) -> float | None:
    """Seconds until it may be asked again: what is said outright, else until the hour that is named."""
    after = headers.get("retry-after", "")
    if after.isdecimal():
        return float(after)
    try:
        if after:
            return max(0.0, (parsedate_to_datetime(after) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        pass
    reset = headers.get("x-ratelimit-reset") or headers.get("ratelimit-reset") or ""
    return max(0.0, float(reset) - time.time()) if reset.isdecimal() else None


def _spoken(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{max(1, round(seconds))} seconds" if seconds < 90 else f"{minutes} minutes"  # noqa: PLR2004  below that minutes are too coarse


def _json(answer: httpx2.Response, name: str) -> Json:
    try:
        return answer.json()
    except ValueError as error:
        raise ForgeBroken(f"{name} answered something that is no JSON. Check that the address of its interface is right.") from error
