"""A pull request where people share the repository: what it is, and which forge it lives on; spoken over REST, without a browser.

`forge_of` tells GitHub from GitLab by the host of an address, `connect` gives the one that speaks with it. Nothing is guessed of a host that
nobody named: a token sent there would be given away. Every fault is a `ForgeError` with a sentence that says what to do; a rate limit is told,
never slept out. On GitLab a pull request is called a merge request and its number an iid.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, Protocol, TypeAlias

from specgit.address import Address
from specgit.types import Oid

ForgeKind: TypeAlias = Literal["github", "gitlab"]
PullRequestState: TypeAlias = Literal["open", "merged", "closed"]
CheckState: TypeAlias = Literal["passing", "failing", "pending"]
Verdict: TypeAlias = Literal["approved", "changes_requested"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeHost:
    """What answers at a host: the kind of forge and the address of its REST interface, without a slash at its end."""

    kind: ForgeKind
    api: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeAddress:
    """A repository on a forge; `path` is `owner/name`, on GitLab with all groups before it."""

    kind: ForgeKind
    host: str
    api: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request as it stands; `head` is the commit that its branch has on the forge."""

    number: int
    url: str
    state: PullRequestState
    draft: bool
    head: Oid
    branch: str
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of the head commit, under the name people see; what was skipped or is only allowed to fail passes."""

    name: str
    state: CheckState


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A person's last word on a pull request."""

    person: str
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestStatus:
    """A pull request with what checks and reviewers say of it, both sorted by name."""

    pull_request: PullRequest
    checks: tuple[Check, ...]
    reviews: tuple[Review, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a new pull request says and joins: the branch `head` of the same repository into `base`, both without `refs/heads/`."""

    title: str
    body: str
    head: str
    base: str


class Forge(Protocol):
    """One repository on a forge. Every call raises ForgeError or Unreachable."""

    async def find(self, branch: str) -> PullRequest | None:
        """Returns the pull request of a branch: the open one, else the newest; None where there was none."""

    async def open_draft(self, draft: Draft) -> PullRequest:
        """Opens a draft; where an open pull request of that branch is there already, returns that one as it is."""

    async def read(self, number: int) -> PullRequest:
        """Returns a pull request as it stands."""

    async def update_body(self, number: int, body: str) -> None:
        """Replaces the text of a pull request; title, draft and base stay as people made them."""

    async def status(self, number: int) -> PullRequestStatus:
        """Returns a pull request with its checks and reviews, all pages of them."""

    async def close(self) -> None:
        """Gives the connections back."""


PUBLIC: Mapping[str, ForgeHost] = MappingProxyType(
    {
        "github.com": ForgeHost(kind="github", api="https://api.github.com"),
        "gitlab.com": ForgeHost(kind="gitlab", api="https://gitlab.com/api/v4"),
    }
)
"""The hosts that need no setting."""


def own_host(kind: ForgeKind, host: str) -> ForgeHost:
    """Returns where a forge that somebody runs themselves answers, as both kinds are installed."""
    return ForgeHost(kind=kind, api=f"https://{host}/api/{'v3' if kind == 'github' else 'v4'}")


def forge_of(address: Address, hosts: Mapping[str, ForgeHost] = PUBLIC) -> ForgeAddress | None:
    """Returns the repository on a forge that an address means; None where the host is not among `hosts`, or the path names no repository."""
    # GitHub answers ssh on port 443 under a name of its own.
    host = {"ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com"}.get(address.host, address.host)
    known = hosts.get(host)
    parts = address.path.split("/")
    sound = len(parts) == 2 if known and known.kind == "github" else len(parts) >= 2  # noqa: PLR2004  owner and name
    if known is None or not sound or any(part in {"", ".", ".."} or "?" in part or "#" in part or "%" in part for part in parts):
        return None
    return ForgeAddress(kind=known.kind, host=host, api=known.api, path=address.path)


def connect(address: ForgeAddress, token: str) -> Forge:
    """Returns the forge that holds a repository; nothing is sent yet. To be closed."""
    # Loading an HTTP client takes longer than everything else here, and most runs have no pull request.
    from specgit.forge_github import GitHub  # noqa: PLC0415
    from specgit.forge_gitlab import GitLab  # noqa: PLC0415

    return GitHub(address, token) if address.kind == "github" else GitLab(address, token)
