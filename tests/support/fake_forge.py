"""A GitHub and a GitLab on loopback, as far as pull requests go, with faults on demand.

Both keep real pull requests in memory and answer in pages as small as `page`. A request that no route of theirs fits, that carries no token,
or that GitHub's own description does not allow, gets an error answer and fails the test when the server is left.
"""

import asyncio
import itertools
import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from specgit.forge import ForgeAddress, ForgeHost, ForgeKind
from support import octokit

TOKEN = "the-token"
HEAD = "a" * 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Answers the next `times` requests whose method and path contain `when` with an error; status 0 cuts the connection, status 1 says nothing."""

    when: str
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Is a request as it came over the wire; header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(slots=True, kw_only=True)
class Pull:
    """A pull request as a forge keeps it."""

    number: int
    title: str
    body: str
    branch: str
    base: str
    draft: bool
    head: str = HEAD
    state: str = "open"
    merged: bool = False
    home: str = ""
    """The fork that the branch lies in; empty for the repository itself."""


@dataclass(slots=True, kw_only=True)
class FakeForge:
    """Is the server; use it as an async context manager and give `address` to the client."""

    kind: ForgeKind
    path: str = "ada/calc"
    page: int = 2
    pulls: list[Pull] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    """Check runs of GitHub, jobs of GitLab's newest pipeline."""
    statuses: list[dict[str, Any]] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    """Reviews on GitHub, reviewers on GitLab."""
    approvers: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    requests: list[Asked] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    url: str = ""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _numbers: Any = field(default_factory=lambda: itertools.count(7))
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.stop()
        if self.problems:
            raise AssertionError("\n\n".join(self.problems))

    async def stop(self) -> None:
        """Answers nobody any more."""
        assert self._server
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def host(self) -> ForgeHost:
        """What a person's settings say of this host."""
        return ForgeHost(kind=self.kind, api=self.url + ("" if self.kind == "github" else "/api/v4"))

    @property
    def address(self) -> ForgeAddress:
        """The repository on this forge."""
        return ForgeAddress(kind=self.kind, host="forge.example.org", api=self.host.api, path=self.path)

    def pull(self, number: int) -> Pull:
        """Returns a pull request."""
        return next(each for each in self.pulls if each.number == number)

    def add(self, branch: str, **values: Any) -> Pull:
        """Keeps a pull request that somebody opened."""
        made = {"number": next(self._numbers), "title": "T", "body": "", "branch": branch, "base": "main", "draft": False}
        pull = Pull(**(made | values))
        self.pulls.append(pull)
        return pull

    def asked(self, start: str) -> list[Asked]:
        """Returns the requests whose method and path begin so, a repository's own part of the path left out."""
        return [each for each in self.requests if f"{each.method} {self._short(each.path)}".startswith(start)]

    # --- the wire

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while asked := await _read(reader):
                    self.requests.append(asked)
                    status, body, headers = self._answer(asked)
                    self.arrived.set()
                    if status == 1:
                        await asyncio.Event().wait()
                    if not status:
                        writer.transport.abort()
                        return
                    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
                    lines = {"content-type": "application/json", "content-length": str(len(raw)), **headers}
                    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
                    writer.write(f"HTTP/1.1 {status} Fake\r\n{head}\r\n".encode() + raw)
                    await writer.drain()
        finally:
            self._tasks.discard(task)
            writer.close()

    def _answer(self, asked: Asked) -> tuple[int, Any, dict[str, str]]:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "Bad credentials"}, {}
        # Later pages are asked for by an address that we gave ourselves.
        if self.kind == "github" and octokit.is_here() and (wrong := octokit.faults(asked.method, asked.path, asked.query, asked.body)):
            return self._broken("; ".join(wrong), asked)
        fault = next((each for each in self.faults if each.when in f"{asked.method} {asked.path}"), None)
        if fault:
            self.faults.remove(fault)
            if fault.times > 1:
                self.faults.append(
                    Fault(when=fault.when, status=fault.status, body=fault.body, headers=fault.headers, times=fault.times - 1)
                )
            return fault.status, fault.body if fault.body is not None else {"message": "The fake refuses."}, fault.headers
        found = (self._github if self.kind == "github" else self._gitlab)(asked, self._short(asked.path))
        return found or self._broken("There is no such route.", asked)

    def _broken(self, what: str, asked: Asked) -> tuple[int, Any, dict[str, str]]:
        self.problems.append(f"{what}\n{asked}")
        return 418, {"message": what}, {}

    def _short(self, path: str) -> str:
        start = f"/repos/{self.path}" if self.kind == "github" else f"/api/v4/projects/{self.path}"
        return unquote(path).removeprefix(start)

    def _listed(self, asked: Asked, items: list[Any], key: str = "") -> tuple[int, Any, dict[str, str]]:
        """Returns one page, with the address of the next one in `Link`."""
        number, size = int(asked.query.get("page", "1")), min(self.page, int(asked.query.get("per_page", "30")))
        part = items[(number - 1) * size : number * size]
        query = "&".join(f"{name}={value}" for name, value in {**asked.query, "page": number + 1}.items())
        more = len(items) > number * size
        headers = {"link": f'<{self.url}{asked.path}?{query}>; rel="next", <{self.url}{asked.path}>; rel="first"'} if more else {}
        return 200, {"total_count": len(items), key: part} if key else part, headers

    # --- GitHub

    def _github(self, asked: Asked, at: str) -> tuple[int, Any, dict[str, str]] | None:
        if at == "/pulls" and asked.method == "POST":
            return self._github_opened(asked.body)
        if at == "/pulls":
            owner, _, branch = asked.query.get("head", "").partition(":")
            assert owner == self.path.split("/")[0]
            return self._listed(asked, [self._github_pull(each) for each in reversed(self.pulls) if each.branch == branch])
        if found := re.fullmatch(r"/pulls/(\d+)", at):
            pull = self._known(int(found[1]))
            if pull is None:
                return 404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}, {}
            pull.body = asked.body["body"] if asked.method == "PATCH" else pull.body
            return 200, self._github_pull(pull), {}
        if re.fullmatch(r"/pulls/\d+/reviews", at):
            return self._listed(asked, self.reviews)
        if re.fullmatch(rf"/commits/{HEAD}/check-runs", at):
            return self._listed(asked, self.runs, "check_runs")
        return self._listed(asked, self.statuses, "statuses") if re.fullmatch(rf"/commits/{HEAD}/status", at) else None

    def _github_opened(self, body: Any) -> tuple[int, Any, dict[str, str]]:
        if any(each.branch == body["head"] and each.state == "open" for each in self.pulls):
            said = f"A pull request already exists for {self.path.split('/')[0]}:{body['head']}."
            errors = [{"resource": "PullRequest", "code": "custom", "message": said}]
            return 422, {"message": "Validation Failed", "errors": errors, "documentation_url": "https://docs.github.com/rest"}, {}
        pull = self.add(body["head"], title=body["title"], body=body["body"], base=body["base"], draft=body["draft"])
        return 201, self._github_pull(pull), {}

    def _github_pull(self, pull: Pull) -> Any:
        return {
            "number": pull.number,
            "html_url": f"https://forge.example.org/{self.path}/pull/{pull.number}",
            "state": "closed" if pull.merged else pull.state,
            "merged_at": "2026-01-02T03:04:05Z" if pull.merged else None,
            "draft": pull.draft,
            "title": pull.title,
            "body": pull.body or None,
            "head": {"ref": pull.branch, "sha": pull.head, "repo": {"full_name": pull.home or self.path}},
            "base": {"ref": pull.base},
        }

    # --- GitLab

    def _gitlab(self, asked: Asked, at: str) -> tuple[int, Any, dict[str, str]] | None:
        if "%2F" not in asked.path:
            return 404, {"error": "404 Not Found"}, {}
        if at == "/merge_requests" and asked.method == "POST":
            return self._gitlab_opened(asked.body)
        if at == "/merge_requests":
            branch = asked.query["source_branch"]
            return self._listed(asked, [self._gitlab_pull(each) for each in reversed(self.pulls) if each.branch == branch])
        if found := re.fullmatch(r"/merge_requests/(\d+)", at):
            pull = self._known(int(found[1]))
            if pull is None:
                return 404, {"message": "404 Not found"}, {}
            pull.body = asked.body["description"] if asked.method == "PUT" else pull.body
            return 200, self._gitlab_pull(pull), {}
        if re.fullmatch(r"/merge_requests/\d+/approvals", at):
            return 200, {"approved_by": [{"user": {"username": each}} for each in self.approvers]}, {}
        if re.fullmatch(r"/merge_requests/\d+/reviewers", at):
            return self._listed(asked, self.reviews)
        if re.fullmatch(r"/merge_requests/\d+/pipelines", at):
            return self._listed(asked, [{"id": 5, "sha": "b" * 40}, {"id": 3, "sha": HEAD}, {"id": 4, "sha": HEAD}])
        return self._listed(asked, self.runs) if at == "/pipelines/4/jobs" else None

    def _gitlab_opened(self, body: Any) -> tuple[int, Any, dict[str, str]]:
        known = [each for each in self.pulls if each.branch == body["source_branch"] and each.state == "open"]
        if known:
            return 409, {"message": [f"Another open merge request already exists for this source branch: !{known[0].number}"]}, {}
        title, draft = body["title"].removeprefix("Draft: "), body["title"].startswith("Draft: ")
        pull = self.add(body["source_branch"], title=title, body=body["description"], base=body["target_branch"], draft=draft)
        return 201, self._gitlab_pull(pull), {}

    def _gitlab_pull(self, pull: Pull) -> Any:
        return {
            "iid": pull.number,
            "id": 1000 + pull.number,
            "web_url": f"https://forge.example.org/{self.path}/-/merge_requests/{pull.number}",
            "state": "merged" if pull.merged else {"open": "opened"}.get(pull.state, pull.state),
            "draft": pull.draft,
            "description": pull.body or None,
            "source_branch": pull.branch,
            "source_project_id": 2 if pull.home else 1,
            "target_project_id": 1,
            "target_branch": pull.base,
            "sha": pull.head,
        }

    def _known(self, number: int) -> Pull | None:
        return next((each for each in self.pulls if each.number == number), None)


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    start = await reader.readline()
    if not start:
        return None
    method, target, _ = start.decode().split()
    headers = {}
    while (line := await reader.readline()).strip():
        name, value = line.decode().split(":", 1)
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return Asked(
        method=method, path=parts.path, query=dict(parse_qsl(parts.query)), headers=headers, body=json.loads(body) if body else None
    )
