"""GitHub, and GitHub Enterprise Server, over REST (version 2022-11-28 of the interface)."""

from collections.abc import Iterable, Mapping
from typing import Any

from specgit.forge import Check, CheckState, Draft, ForgeAddress, PullRequest, PullRequestState, PullRequestStatus, Review, Verdict
from specgit.forge_rest import Rest, best, open_or_find, understood
from specgit.remote_errors import NotPermitted
from specgit.types import Oid

_FAILED = {"failure", "timed_out", "cancelled", "action_required", "startup_failure", "stale"}
_STATUS: dict[str, CheckState] = {"success": "passing", "pending": "pending", "failure": "failing", "error": "failing"}
_VERDICTS: dict[str, Verdict | None] = {"APPROVED": "approved", "CHANGES_REQUESTED": "changes_requested", "DISMISSED": None}


class GitHub:
    """The pull requests of one repository on GitHub."""

    def __init__(self, address: ForgeAddress, token: str) -> None:
        self._owner = address.path.split("/")[0]
        self._path = address.path
        self._at = f"/repos/{address.path}"
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        sign_in = "`gh auth login`" + (f" with `--hostname {address.host}`" if address.host != "github.com" else "") + ", or set GH_TOKEN"
        self._rest = Rest(api=address.api, name=address.host, headers=headers, sign_in=sign_in)

    async def close(self) -> None:
        """Gives the connections back."""
        await self._rest.close()

    async def find(self, branch: str) -> PullRequest | None:
        """Returns the pull request of a branch: the open one, else the newest."""
        asked = self._rest.pages(f"{self._at}/pulls", head=f"{self._owner}:{branch}", state="all")
        # An address may be written in other letters than the name, and GitHub then filters nothing.
        with understood("GitHub"):
            return best([_pull_request(each) async for each in asked if _branch(each) == branch and self._is_own(each)])

    def _is_own(self, found: Any) -> bool:  # noqa: ANN401  JSON
        """Tells whether a pull request's branch is of the repository itself: anybody's fork may have one of that name."""
        where = str(((found.get("head") or {}).get("repo") or {}).get("full_name", ""))
        return where.casefold() == self._path.casefold()

    async def open_draft(self, draft: Draft) -> PullRequest:
        """Opens a draft; one of that branch that is there already is returned as it is."""
        body = {"title": draft.title, "body": draft.body, "head": draft.head, "base": draft.base, "draft": True}
        return await open_or_find(self._opened(body), lambda: self.find(draft.head))

    async def _opened(self, body: Mapping[str, Any]) -> PullRequest:
        with understood("GitHub"):
            return _pull_request(await self._rest.send("POST", f"{self._at}/pulls", body))

    async def read(self, number: int) -> PullRequest:
        """Returns a pull request as it stands."""
        with understood("GitHub"):
            return _pull_request(await self._rest.get(f"{self._at}/pulls/{number}"))

    async def update_body(self, number: int, body: str) -> None:
        """Replaces the text of a pull request."""
        await self._rest.send("PATCH", f"{self._at}/pulls/{number}", {"body": body})

    async def status(self, number: int) -> PullRequestStatus:
        """Returns a pull request with what its head commit's check runs and statuses, and its reviewers, say."""
        with understood("GitHub"):
            return await self._status(await self.read(number))

    async def _status(self, found: PullRequest) -> PullRequestStatus:
        runs = await self._shown(f"{self._at}/commits/{found.head}/check-runs", "check_runs")
        told = await self._shown(f"{self._at}/commits/{found.head}/status", "statuses")
        reviews = [each async for each in self._rest.pages(f"{self._at}/pulls/{found.number}/reviews")]
        checks = {str(each["name"]): _run_state(each) for each in runs} | {
            str(each["context"]): _STATUS.get(each["state"], "pending") for each in told
        }
        return PullRequestStatus(
            pull_request=found,
            checks=tuple(Check(name=name, state=state) for name, state in sorted(checks.items())),
            reviews=_last_words(reviews),
        )

    async def _shown(self, path: str, key: str) -> list[Any]:
        """A list of checks; empty where this token may not read it, as fine-grained ones of a person's may not: the rest is worth telling."""
        try:
            return [each async for each in self._rest.pages(path, key=key)]
        except NotPermitted:
            return []


def _run_state(run: Any) -> CheckState:  # noqa: ANN401  JSON
    if run["status"] != "completed":
        return "pending"
    return "failing" if run["conclusion"] in _FAILED else "passing"


def _last_words(reviews: Iterable[Any]) -> tuple[Review, ...]:
    """A later comment takes no verdict back; a dismissal does. Reviews come oldest first."""
    verdicts: dict[str, Verdict | None] = {}
    for each in reviews:
        if each["state"] in _VERDICTS:
            verdicts[(each.get("user") or {}).get("login") or "ghost"] = _VERDICTS[each["state"]]
    return tuple(Review(person=person, verdict=verdict) for person, verdict in sorted(verdicts.items()) if verdict)


def _branch(found: Any) -> str:  # noqa: ANN401  JSON
    return str((found.get("head") or {}).get("ref"))


def _pull_request(found: Any) -> PullRequest:  # noqa: ANN401  JSON
    state: PullRequestState = "merged" if found.get("merged_at") else "closed" if found["state"] == "closed" else "open"
    return PullRequest(
        number=int(found["number"]),
        url=str(found["html_url"]),
        state=state,
        draft=bool(found.get("draft")),
        head=Oid(found["head"]["sha"]),
        branch=str(found["head"]["ref"]),
        body=str(found.get("body") or ""),
    )
