"""GitLab, its own or anybody's, over REST (version 4 of the interface)."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from specgit.forge import Check, CheckState, Draft, ForgeAddress, PullRequest, PullRequestState, PullRequestStatus, Review
from specgit.forge_rest import Rest, best, open_or_find, understood
from specgit.types import Oid

_STATES: dict[str, PullRequestState] = {"opened": "open", "locked": "open", "closed": "closed", "merged": "merged"}
_JOBS: dict[str, CheckState] = {"success": "passing", "skipped": "passing", "manual": "passing", "failed": "failing", "canceled": "failing"}


class GitLab:
    """The merge requests of one project on GitLab."""

    def __init__(self, address: ForgeAddress, token: str) -> None:
        self._at = f"/projects/{quote(address.path, safe='')}"
        sign_in = f"`glab auth login --hostname {address.host}`, or set GITLAB_TOKEN"
        self._rest = Rest(api=address.api, name=address.host, headers={"Authorization": f"Bearer {token}"}, sign_in=sign_in)

    async def close(self) -> None:
        """Gives the connections back."""
        await self._rest.close()

    async def find(self, branch: str) -> PullRequest | None:
        """Returns the merge request of a branch: the open one, else the newest."""
        asked = self._rest.pages(f"{self._at}/merge_requests", source_branch=branch, state="all")
        with understood("GitLab"):
            return best([_merge_request(each) async for each in asked if each.get("source_branch") == branch and _is_own(each)])

    async def open_draft(self, draft: Draft) -> PullRequest:
        """Opens a draft, which on GitLab is a word in the title; one of that branch that is there already is returned as it is."""
        body = {
            "title": f"Draft: {draft.title}",
            "description": draft.body,
            "source_branch": draft.head,
            "target_branch": draft.base,
        }
        return await open_or_find(self._opened(body), lambda: self.find(draft.head))

    async def _opened(self, body: Mapping[str, Any]) -> PullRequest:
        with understood("GitLab"):
            return _merge_request(await self._rest.send("POST", f"{self._at}/merge_requests", body))

    async def read(self, number: int) -> PullRequest:
        """Returns a merge request as it stands."""
        with understood("GitLab"):
            return _merge_request(await self._rest.get(f"{self._at}/merge_requests/{number}"))

    async def update_body(self, number: int, body: str) -> None:
        """Replaces the description of a merge request."""
        await self._rest.send("PUT", f"{self._at}/merge_requests/{number}", {"description": body})

    async def status(self, number: int) -> PullRequestStatus:
        """Returns a merge request with the jobs of its newest pipeline on the head commit, and what its reviewers say."""
        with understood("GitLab"):
            return await self._status(f"{self._at}/merge_requests/{number}", await self.read(number))

    async def _status(self, at: str, found: PullRequest) -> PullRequestStatus:
        pipelines = [each async for each in self._rest.pages(f"{at}/pipelines") if each.get("sha") == found.head]
        newest = max(pipelines, key=lambda each: int(each["id"]), default=None)
        jobs = [each async for each in self._rest.pages(f"{self._at}/pipelines/{newest['id']}/jobs")] if newest else []
        approvals = await self._rest.get(f"{at}/approvals")
        reviewers = [each async for each in self._rest.pages(f"{at}/reviewers")]
        checks = {str(each["name"]): _job_state(each) for each in jobs}
        return PullRequestStatus(
            pull_request=found,
            checks=tuple(Check(name=name, state=state) for name, state in sorted(checks.items())),
            reviews=_last_words(approvals, reviewers),
        )


def _is_own(found: Any) -> bool:  # noqa: ANN401  JSON
    """Tells whether a merge request's branch is of the project itself: anybody's fork may have one of that name."""
    return bool(found.get("source_project_id") == found.get("target_project_id"))


def _job_state(job: Any) -> CheckState:  # noqa: ANN401  JSON
    state = _JOBS.get(job["status"], "pending")
    return "passing" if state == "failing" and job.get("allow_failure") else state


def _last_words(approvals: Any, reviewers: Iterable[Any]) -> tuple[Review, ...]:  # noqa: ANN401  JSON
    people = [str(each["user"]["username"]) for each in approvals.get("approved_by") or () if each.get("user")]
    verdicts = {person: Review(person=person, verdict="approved") for person in people}
    for each in reviewers:
        if each.get("state") == "requested_changes" and each.get("user"):
            person = str(each["user"]["username"])
            verdicts[person] = Review(person=person, verdict="changes_requested")
    return tuple(verdicts[person] for person in sorted(verdicts))


def _merge_request(found: Any) -> PullRequest:  # noqa: ANN401  JSON
    return PullRequest(
        number=int(found["iid"]),
        url=str(found["web_url"]),
        state=_STATES[found["state"]],
        draft=bool(found.get("draft")),
        head=Oid(found.get("sha") or ""),
        branch=str(found["source_branch"]),
        body=str(found.get("description") or ""),
    )
