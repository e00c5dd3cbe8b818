"""The pull request of a SpecTask: what would be pushed where, and, once a person has agreed to exactly that, pushing and opening it.

Nothing else in Specthread pushes. What a person agrees to is a `PushPlan`, made without the network: refs with their ids, and the address,
which comes from a config that an agent may have written and is therefore shown first. Asked again, it pushes what came since, with a
lease on what it left there, and brings the text up to date. Where the log was lost, the pull request is found by its branch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal

from specgit.address import Address, address_of, remote_url
from specgit.errors import GitError
from specgit.forge import Draft, Forge, ForgeAddress, connect, forge_of
from specgit.forge import PullRequest as ForgePullRequest
from specgit.push import Lease, push, tips
from specgit.remote_errors import BadAddress, LeaseLost
from specgit.repository import Repository
from specgit.types import Oid as GitOid
from specgit.types import RefName, spec_refs
from specthread.domain.commands import OpenPullRequest
from specthread.domain.ids import Oid
from specthread.domain.model import Actor, Refusal, SpecTask
from specthread.domain.pull_request import PullRequest
from specthread.domain.rules_pull_request import merged_already, not_openable
from specthread.engine.forges import Forges
from specthread.engine.ports import Ports, in_thread
from specthread.engine.repositories import OpenRepository
from specthread.views.pull_request import pull_request_body, pull_request_title, with_part
from specthread.views.trace import TraceIndex

TEMPLATES = {
    "github": (
        ".github/pull_request_template.md",
        ".github/PULL_REQUEST_TEMPLATE.md",
        "pull_request_template.md",
        "PULL_REQUEST_TEMPLATE.md",
        "docs/pull_request_template.md",
        "docs/PULL_REQUEST_TEMPLATE.md",
    ),
    "gitlab": (".gitlab/merge_request_templates/Default.md", ".gitlab/merge_request_templates/default.md"),
}
"""Where each forge looks for the text that a new pull request begins with."""
_TEMPLATE_LIMIT = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PushPlan:
    """What would be pushed where; `fingerprint` names exactly this, credentials of the address included, which only `address` holds."""

    remote: str
    address: Address
    where: ForgeAddress
    branch: str
    base: str
    refs: tuple[tuple[RefName, GitOid], ...]
    records: bool
    known: str
    """The address of the pull request that is brought up to date, or nothing."""

    @property
    def fingerprint(self) -> str:
        """Names this plan and no other."""
        plan = [self.remote, self.address.url, self.where.api, self.base, self.refs]
        return hashlib.sha256(json.dumps(plan).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The pull request that a person asked for, and whether it is new."""

    how: Literal["opened", "updated"]
    url: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequests:
    """Plans, opens and updates pull requests; `trace` finds what is known of a SpecTask's code."""

    ports: Ports
    forges: Forges
    trace: Callable[[SpecTask], Awaitable[TraceIndex]]

    async def plan(self, spectask: SpecTask, remote: str, *, records: bool) -> PushPlan | Refusal:
        """Returns what would be pushed where, with the records where they are wanted; the network is not asked. Raises GitError."""
        refused = not_openable(spectask)
        if refused:
            return refused
        opened = await self.ports.repository(spectask.id)
        return await in_thread(_plan, opened, spectask, remote, self.forges, records=records)

    async def open(self, spectask: SpecTask, plan: PushPlan, actor: Actor) -> Opened | Refusal:
        """Pushes and opens the pull request, or brings one that is open up to date. Raises GitError where the other side does not do it."""
        token = await self.forges.token(plan.where)
        if not token:
            return _no_token(plan.where)
        opened = await self.ports.repository(spectask.id)
        forge = connect(plan.where, token)
        try:
            # Asked first: nothing is pushed to a forge that does not answer, or for work that is merged already.
            before = await forge.find(plan.branch)
            if before and before.state == "merged":
                return merged_already(spectask, before.url)
            await in_thread(_push, opened.repository, plan, _left_there(spectask, plan))
            found = await self._at(forge, before, opened, spectask, plan, token)
        finally:
            await forge.close()
        answer = await self.ports.submit(_opening(spectask, plan, found), actor)
        how: Literal["opened", "updated"] = "updated" if before and before.state == "open" else "opened"
        return answer if isinstance(answer, Refusal) else Opened(how=how, url=found.url, number=found.number)

    async def _at(
        self, forge: Forge, known: ForgePullRequest | None, opened: OpenRepository, spectask: SpecTask, plan: PushPlan, token: str
    ) -> ForgePullRequest:
        pushed = replace(spectask, pull_request=_pull_request(plan, known))
        part = await self.part(pushed, token)
        if known and known.state == "open":
            await bring_up_to_date(forge, known, part)
            return known
        template = await in_thread(_template, opened.repository, spectask, plan.where.kind)
        draft = Draft(
            title=pull_request_title(spectask, self._secrets(token)), body=with_part(template, part), head=plan.branch, base=plan.base
        )
        found = await forge.open_draft(draft)
        # Somebody may have opened one a moment before.
        await bring_up_to_date(forge, found, part)
        return found

    async def part(self, spectask: SpecTask, token: str) -> str:
        """Returns our part of the text, without secrets; without what the code says where that cannot be looked at."""
        try:
            trace = await self.trace(spectask)
        except (GitError, OSError):
            trace = None
        # Long documents take a moment to read.
        return await in_thread(pull_request_body, spectask, self._secrets(token), trace)

    def _secrets(self, token: str) -> tuple[str, ...]:
        return (*self.ports.secrets, token)


async def bring_up_to_date(forge: Forge, found: ForgePullRequest, part: str) -> None:
    """Replaces our part of the text where it says something else."""
    text = with_part(found.body, part)
    if text.strip() != found.body.replace("\r\n", "\n").strip():
        await forge.update_body(found.number, text)


def _plan(opened: OpenRepository, spectask: SpecTask, remote: str, forges: Forges, *, records: bool) -> PushPlan | Refusal:
    repository = opened.repository
    url = remote_url(repository.runner, remote)
    if url is None:
        hint = "`git remote -v` shows those there are; `--remote` names one."
        return Refusal(code="no-remote", message=f"The repository has no remote named {remote!r}.", hint=hint)
    try:
        address = address_of(url)
    except BadAddress as error:
        return Refusal(code="bad-address", message=str(error), hint=f"`git remote set-url {remote} …` changes it.")
    where = forge_of(address, forges.hosts)
    if where is None:
        return _unknown_forge(address)
    refs = spec_refs(spectask.id)
    named = [refs.feature, *([refs.specs, *(RefName(f"refs/tags/{each.tag}") for each in spectask.versions)] if records else [])]
    found = [(ref, repository.resolve(ref)) for ref in named]
    missing = [ref for ref, oid in found if oid is None]
    if missing:
        hint = f"`specthread show {spectask.id}` says what is the matter."
        return Refusal(code="branch-gone", message=f"{missing[0]} is gone from the repository.", hint=hint)
    return PushPlan(
        remote=remote,
        address=address,
        where=where,
        branch=refs.feature.removeprefix("refs/heads/"),
        base=spectask.target or "",
        refs=tuple((ref, oid) for ref, oid in found if oid),
        records=records,
        known=spectask.pull_request.url if spectask.pull_request and spectask.pull_request.state == "open" else "",
    )


def _unknown_forge(address: Address) -> Refusal:
    message = f"{address.shown} is on no forge that Specthread knows: {address.host or 'a folder'} is neither github.com nor gitlab.com."
    hint = 'Name the host in your own config.toml, `forge.github = ["host"]` or `forge.gitlab = ["host"]`, and restart the daemon.'
    return Refusal(code="unknown-forge", message=message, hint=hint)


def _no_token(where: ForgeAddress) -> Refusal:
    if where.kind == "github":
        names, program = ("GH_TOKEN", "gh") if where.host == "github.com" else (f"GH_HOST={where.host} and GH_ENTERPRISE_TOKEN", "gh")
    else:
        names, program = ("GITLAB_TOKEN", "glab") if where.host == "gitlab.com" else (f"GITLAB_HOST={where.host} and GITLAB_TOKEN", "glab")
    hint = f"Run `{program} auth login --hostname {where.host}`; or set {names} and restart the daemon (`specthread daemon stop`)."
    return Refusal(code="no-token", message=f"There is no token for {where.host}, so nothing was pushed.", hint=hint)


def _left_there(spectask: SpecTask, plan: PushPlan) -> dict[str, str]:
    """Where each ref was left by the last push to this address; nothing is known of a pull request that ended."""
    known = spectask.pull_request
    return dict(known.pushed) if known and known.state == "open" and known.address == plan.address.shown else {}


def _push(repository: Repository, plan: PushPlan, left: dict[str, str]) -> None:
    """Pushes with a lease on what was left there, else on what is there now where we hold all of it. Raises LeaseLost where we do not."""
    there = tips(repository, plan.address, [ref for ref, _ in plan.refs])
    leases = []
    for ref, oid in plan.refs:
        seen = there.get(ref)
        if ref not in left and seen not in {None, oid} and not _holds(repository, ref, oid, seen):
            raise LeaseLost(ref)
        leases.append(Lease(ref=ref, oid=oid, expected=_expected(repository, left.get(ref), seen, oid)))
    push(repository, plan.address, leases)


def _expected(repository: Repository, left: str | None, seen: GitOid | None, oid: GitOid) -> GitOid | None:
    """Returns where a ref must still stand: where it was left, or further on where we hold that, as after a push that nobody could note."""
    if left is None or seen in {None, left}:
        return seen if left is None else GitOid(left)
    further = seen is not None and repository.resolve(f"{seen}^{{commit}}") is not None and repository.is_ancestor(GitOid(left), seen)
    return seen if seen is not None and further and (seen == oid or repository.is_ancestor(seen, oid)) else GitOid(left)


def _holds(repository: Repository, ref: RefName, oid: GitOid, seen: GitOid | None) -> bool:
    is_branch = ref.startswith("refs/heads/")
    return bool(is_branch and seen and repository.resolve(f"{seen}^{{commit}}")) and repository.is_ancestor(seen or oid, oid)


def _template(repository: Repository, spectask: SpecTask, kind: Literal["github", "gitlab"]) -> str:
    """The text that a new pull request begins with, as the target branch has it: agents write on the other one."""
    target = repository.resolve(f"refs/heads/{spectask.target}") or GitOid(spectask.base)
    for path in TEMPLATES[kind]:
        found = repository.read(target, path)
        if found is not None:
            return found[:_TEMPLATE_LIMIT].decode("utf-8", "replace")
    return ""


def _pull_request(plan: PushPlan, known: ForgePullRequest | None) -> PullRequest:
    return PullRequest(
        forge=plan.where.kind,
        url=known.url if known else "",
        number=known.number if known else 0,
        branch=plan.branch,
        person="",
        remote=plan.remote,
        address=plan.address.shown,
        pushed=tuple((str(ref), str(oid)) for ref, oid in plan.refs),
    )


def _opening(spectask: SpecTask, plan: PushPlan, found: ForgePullRequest) -> OpenPullRequest:
    return OpenPullRequest(
        spectask=spectask.id,
        forge=plan.where.kind,
        url=found.url,
        number=found.number,
        branch=plan.branch,
        remote=plan.remote,
        address=plan.address.shown,
        pushed=tuple((str(ref), Oid(oid)) for ref, oid in plan.refs),
    )
