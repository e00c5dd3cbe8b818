"""The address of a repository on another machine, taken only where it can do nothing but name one.

Git knows addresses that run a program (`ext::`), options that look like addresses (`--upload-pack=…`) and a protocol that everybody on the
way reads and changes (`http`, `git`). An address may come from a config file that an agent can write.
"""

import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from specgit.errors import mask
from specgit.git import GitRunner
from specgit.remote_errors import BadAddress

Protocol: TypeAlias = Literal["https", "ssh", "file"]

_HOST = r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)"
_PATH = r"(?P<path>[^\s\x00-\x1f\x7f]+)"
_FORMS: tuple[tuple[Protocol, re.Pattern[str]], ...] = (
    ("https", re.compile(rf"https://(?:[^/@\s]+@)?{_HOST}(?::\d{{1,5}})?/{_PATH}")),
    ("ssh", re.compile(rf"ssh://(?:[A-Za-z0-9_][\w.-]*@)?{_HOST}(?::\d{{1,5}})?/{_PATH}")),
    ("file", re.compile(r"(?P<host>)(?:file://)?(?P<path>/[^\x00-\x1f\x7f]+)")),
    ("ssh", re.compile(rf"(?:[A-Za-z0-9_][\w.-]*@)?{_HOST}:(?!-|/{{2}}|:){_PATH}")),
)
_REMOTE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_LONGEST = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A checked address; `url` may hold a person's credentials, so it is `shown` that is told and kept."""

    url: str = field(repr=False)
    protocol: Protocol
    host: str
    path: str

    @property
    def shown(self) -> str:
        """The address without user names, passwords and tokens."""
        return mask(self.url).replace("***@", "") if self.protocol == "https" else self.url


def address_of(url: str, *, protocols: tuple[Protocol, ...] = ("https", "ssh")) -> Address:
    """Checks an address: `https://`, `ssh://`, `user@host:path`, or a folder where `protocols` says so. Raises BadAddress."""
    for protocol, form in _FORMS:
        found = form.fullmatch(url) if len(url) <= _LONGEST else None
        if found and protocol in protocols:
            path = found["path"] if protocol == "file" else found["path"].strip("/").removesuffix(".git")
            return Address(url=url, protocol=protocol, host=found["host"].lower(), path=path)
    kinds = {"https": "https://host/owner/name", "ssh": "git@host:owner/name", "file": "a folder"}
    allowed = " or ".join(kinds[each] for each in protocols)
    raise BadAddress(f"{mask(url)[:200]!r} is no address that is pushed to. Give the remote one of the form {allowed}: git remote set-url")


def remote_url(runner: GitRunner, remote: str) -> str | None:
    """Returns the address that a remote's name stands for in the repository's config, unchecked; None where there is no such remote.

    Its push address counts, as it does for `git push`; the config may be somebody else's, so the result is shown before it is used.
    """
    if not _REMOTE.fullmatch(remote):
        return None
    for key in ("pushurl", "url"):
        found = runner.run(["config", "--get", f"remote.{remote}.{key}"], check=False)
        if found.exit_code == 0 and found.text:
            return found.text.split("\n")[-1]
    return None
