"""Sending named refs to another repository: with the address of `specgit.address`, the only file by which git reaches the network.

Rules of this file: each ref moves only from where the caller last saw it (a lease), never by plain force, and all of them or none; the
address comes as a value, no remote is named; git runs on a throw-away folder that shows the repository's objects and a config of our own.
So nothing that the repository's config names runs or redirects a push: not `core.sshCommand`, `url.*.insteadOf`, `credential.helper`,
`remote.*.pushurl` nor a hook, which somebody with a shell in a worktree may have written. The person's own config below their home counts,
because credentials are found through it; it is asked without a terminal, so that nobody is prompted.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from specgit.address import Address
from specgit.errors import GitError, GitTimeout, error_from_git, mask
from specgit.git import Completed, GitRunner
from specgit.remote_errors import BadAddress, LeaseLost, NoAccess, PushRejected, Unreachable
from specgit.repository import Repository
from specgit.types import Oid, RefName
from specgit.view import sterile_view

PUSH_SECONDS = 300.0
LOOK_SECONDS = 60.0

_REF = re.compile(r"refs/(?:heads|tags|specthread)/[A-Za-z0-9][A-Za-z0-9._/-]*")
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NETWORK = (
    "SSH_AUTH_SOCK",
    "DBUS_SESSION_BUS_ADDRESS",
    "XDG_RUNTIME_DIR",
    "GIT_SSH_COMMAND",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
)
"""What of the person's environment leads to the network and to their credentials."""
_PLAIN = ("--no-follow-tags", "--recurse-submodules=no", "--no-signed", "--no-verify")
_UNREACHABLE = re.compile(
    r"Could not resolve|Connection (?:refused|timed out|reset|closed)|Failed to connect|Couldn't connect|Network is unreachable|No route to host"
    r"|Operation timed out|timed out after|SSL certificate|server certificate",
    re.IGNORECASE,
)
_CLOSED = re.compile(
    r"Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|Permission (?:to .* )?denied|Access denied"
    r"|Repository not found|repository .* not found|not appear to be a git repository|Host key verification failed|returned error: 40[134]"
    r"|Could not read from remote repository|invalid credentials|not allowed to push",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A ref to be moved to `oid` on the other side, if it still stands at `expected` there; None: if it is not there yet."""

    ref: RefName
    oid: Oid
    expected: Oid | None


def push(repository: Repository, address: Address, leases: Sequence[Lease], *, seconds: float = PUSH_SECONDS) -> None:
    """Moves refs on the other side, all or none; what stands there already is no fault.

    Raises LeaseLost, PushRejected, NoAccess, Unreachable or BadAddress, and GitError where this repository is at fault.
    """
    for lease in leases:
        _check(lease)
    options = ["push", "--porcelain", *_PLAIN, *(["--atomic"] if len(leases) > 1 else [])]
    options += [f"--force-with-lease={lease.ref}:{lease.expected or ''}" for lease in leases]
    done = _reach(repository, address, [*options, "--end-of-options", address.url, *(f"{each.oid}:{each.ref}" for each in leases)], seconds)
    if done.exit_code != 0:
        raise _failure(done, address)


def tips(repository: Repository, address: Address, refs: Sequence[RefName], *, seconds: float = LOOK_SECONDS) -> dict[RefName, Oid]:
    """Returns where refs stand on the other side, without those that are not there. Raises NoAccess, Unreachable or BadAddress."""
    done = _reach(repository, address, ["ls-remote", "--refs", "--end-of-options", address.url, *refs], seconds)
    if done.exit_code != 0:
        raise _failure(done, address)
    found = {RefName(ref): Oid(oid) for oid, _, ref in (line.partition("\t") for line in done.text.splitlines()) if _OID.fullmatch(oid)}
    # A name is a pattern to git: `refs/heads/x` would also find `refs/heads/y/refs/heads/x`.
    return {ref: found[ref] for ref in refs if ref in found}


def _check(lease: Lease) -> None:
    sound = _REF.fullmatch(lease.ref) and not re.search(r"\.\.|//|/$|\.lock(?:/|$)|/\.", lease.ref)
    if not sound or not all(_OID.fullmatch(oid) for oid in (lease.oid, lease.expected or lease.oid)):
        raise BadAddress(f"{lease.ref} at {lease.oid} cannot be pushed: it is no full name of a ref with a full id.")


def _reach(repository: Repository, address: Address, args: Sequence[str], seconds: float) -> Completed:
    with sterile_view(repository.runner, object_format=repository.object_format, refs={}, env={}, bare=True) as view:
        runner = view.reaching(env=_environment(view, address))
        try:
            return runner.run(args, timeout=seconds, check=False)
        except GitTimeout as error:
            sentence = f"{address.shown} did not answer within {seconds:g} seconds. Check the network, then ask again."
            raise Unreachable(sentence, command=error.command) from error


def _environment(view: GitRunner, address: Address) -> Mapping[str, str]:
    found = {name: os.environ[name] for name in _NETWORK if os.environ.get(name)}
    if "GIT_SSH_COMMAND" not in found:
        own = view.run(["config", "--get", "core.sshCommand"], check=False).text
        found["GIT_SSH_COMMAND"] = own or "ssh -oBatchMode=yes"
    return {**found, "GIT_ALLOW_PROTOCOL": address.protocol, "SSH_ASKPASS_REQUIRE": "never", "GCM_INTERACTIVE": "never"}


def _failure(done: Completed, address: Address) -> GitError:
    """Finds what went wrong: what git says of each ref comes first, then what it says of the way there."""
    refused = [line.split("\t") for line in done.text.splitlines() if line.startswith("!\t")]
    # Under `--atomic` the innocent ones are refused with the guilty one.
    for _, names, reason in sorted((each for each in refused if len(each) == 3), key=lambda each: "atomic" in each[2]):  # noqa: PLR2004  columns
        ref = names.partition(":")[2]
        if "stale info" in reason:
            return LeaseLost(ref, stderr=done.stderr)
        said = re.sub(r"^\[(?:remote )?rejected\] \(|\)$", "", reason)
        remote = " ".join(line.removeprefix("remote:").strip() for line in done.stderr.splitlines() if line.startswith("remote:"))
        return PushRejected(ref, f"{said} ({mask(remote)[:300]})" if remote else said, stderr=done.stderr)
    if re.search(r"transport '[^']*' not allowed", done.stderr):
        sentence = f"Your git config turns {address.shown} into an address of another kind, which is not used. Name that one itself."
        return BadAddress(sentence, stderr=done.stderr)
    if re.search(r"redirection|requested URL returned error: 30[1278]", done.stderr):
        return BadAddress(
            f"{address.shown} has moved. Look where it is now and set the remote's address: git remote set-url.", stderr=done.stderr
        )
    if _UNREACHABLE.search(done.stderr):
        return Unreachable(f"{address.shown} cannot be reached. Check the network and the address, then ask again.", stderr=done.stderr)
    if _CLOSED.search(done.stderr):
        sentence = (
            f"{address.shown} did not let git in, or there is no such repository. See that `git push` to it works without a question in your own "
            "terminal: for https a credential helper (`gh auth setup-git`, `glab auth login`), for ssh a key in the agent."
        )
        return NoAccess(sentence, stderr=done.stderr)
    return error_from_git(["git", "push"], done.exit_code, done.stderr)
