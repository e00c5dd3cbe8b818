"""The failures between this machine and another: a push that the other side does not take, and a forge that refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from specgit import remote_errors
from specgit.address import Address, address_of
from specgit.forge import Draft, connect
from specgit.push import Lease, push
from specgit.types import Oid
from support.failure import World, reaches
from support.fake_forge import TOKEN, FakeForge, Fault
from support.git_fixture import git, write_files
from support.worktree_story import REFS

Fails = Iterator[Callable[[], object]]
SAID = {"message": "Not today"}


# --- a push


@reaches(remote_errors.BadAddress, cause="'ext::sh -c x' is no address that is pushed to", step="git remote set-url")
def _bad_address(world: World) -> Fails:
    yield lambda: _push(world, address_of("ext::sh -c x"))


@reaches(remote_errors.NoAccess, cause="did not let git in, or there is no such repository", step="See that `git push` to it works")
def _no_access(world: World) -> Fails:
    yield lambda: _push(world, address_of(str(world.folder / "nowhere.git"), protocols=("file",)))


@reaches(remote_errors.LeaseLost, cause="Somebody else moved or deleted refs/heads/spectask/", step="bring it in or remove it there")
def _lease_lost(world: World) -> Fails:
    shared = _shared(world)
    yield lambda: _push(world, shared, expected=Oid("1" * 40))
    assert git(world.folder / "shared.git", "for-each-ref") == ""
    _push(world, shared)


@reaches(remote_errors.PushRejected, cause="(No pushes on Fridays.)", step="Change its rules for this branch, or push it yourself")
def _rejected(world: World) -> Fails:
    shared, hook = _shared(world), world.folder / "shared.git/hooks/pre-receive"
    write_files(hook.parent, {hook.name: "#!/bin/sh\necho No pushes on Fridays. >&2; exit 1\n"})
    hook.chmod(0o755)
    yield lambda: _push(world, shared)
    assert git(world.folder / "shared.git", "for-each-ref") == ""
    hook.unlink()
    _push(world, shared)


def _shared(world: World) -> Address:
    git(world.folder, "init", "--quiet", "--bare", "shared.git")
    return address_of(str(world.folder / "shared.git"), protocols=("file",))


def _push(world: World, address: Address, expected: Oid | None = None) -> None:
    push(world.repository, address, [Lease(ref=REFS.feature, oid=world.base, expected=expected)])


# --- a forge


@reaches(remote_errors.Unreachable, cause="forge.example.org cannot be reached", step="Check the network, then ask again")
def _cut(_: World) -> Fails:
    yield lambda: _refused(0)


@reaches(remote_errors.TokenRefused, cause="does not accept the token: Not today", step="Get a new one: `gh auth login`")
def _token(_: World) -> Fails:
    yield lambda: _refused(401)


@reaches(remote_errors.NotPermitted, cause="does not let this token do that: Not today", step="Give it the right to write pull requests")
def _not_permitted(_: World) -> Fails:
    yield lambda: _refused(403)


@reaches(remote_errors.NotFound, cause="shows no such repository or pull request", step="Check the remote's address and the token's rights")
def _not_found(_: World) -> Fails:
    yield lambda: _refused(404)


@reaches(remote_errors.RateLimited, cause="was asked too often", step="Ask again in 30 seconds")
def _limited(_: World) -> Fails:
    yield lambda: _refused(429, headers={"retry-after": "30"})


@reaches(remote_errors.NotTaken, cause="refused (422): Not today", step="Change that, then ask again")
def _not_taken(_: World) -> Fails:
    yield lambda: _refused(422)


@reaches(remote_errors.AlreadyThere, cause="A pull request already exists for ada:x", step="Change that, then ask again")
def _already_there(_: World) -> Fails:
    yield lambda: _refused(422, {"message": "A pull request already exists for ada:x."})


@reaches(remote_errors.ForgeBroken, cause="failed (502: Not today)", step="ask again in some minutes")
def _broken(_: World) -> Fails:
    yield lambda: _refused(502)


def _refused(status: int, body: Any = SAID, headers: dict[str, str] | None = None) -> None:
    asyncio.run(_ask(Fault(when="POST", status=status, body=body, headers=headers or {})))


async def _ask(fault: Fault) -> None:
    """Asks a forge for a pull request, which it answers with a fault; none is there afterwards, and asking again makes one."""
    async with FakeForge(kind="github", faults=[fault]) as fake:
        forge = connect(fake.address, TOKEN)
        draft = Draft(title="Add it", body="Why", head=REFS.feature.removeprefix("refs/heads/"), base="main")
        try:
            await forge.open_draft(draft)
        finally:
            assert fake.pulls == []
            assert (await forge.open_draft(draft)).draft
            await forge.close()
