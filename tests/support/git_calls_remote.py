"""Scenarios for what reaches another machine: a push into a bare repository beside the scene, and a forge on loopback."""

from __future__ import annotations

import asyncio

import pytest

from specgit import address, forge, forge_github, forge_gitlab, push, remote_errors
from support.call_list import plays
from support.fake_forge import TOKEN, FakeForge, Fault
from support.git_fixture import git, make_repository
from support.git_scene import Scene


@plays("push.push", "git.GitRunner.reaching")
def _push(scene: Scene) -> None:
    (refs, oid), place = scene.made(), scene.place()
    place.mkdir(parents=True)
    git(place, "init", "--quiet", "--bare")
    shared = address.address_of(str(place), protocols=("file",))
    push.push(scene.repository, shared, [push.Lease(ref=refs.specs, oid=oid, expected=None)])
    push.push(scene.repository, shared, [push.Lease(ref=refs.specs, oid=scene.ours, expected=oid)])
    assert git(place, "for-each-ref", "--format=%(objectname) %(refname)") == f"{scene.ours} {refs.specs}"
    with pytest.raises(remote_errors.LeaseLost):
        push.push(scene.repository, shared, [push.Lease(ref=refs.specs, oid=oid, expected=oid)])


@plays("push.tips")
def _tips(scene: Scene) -> None:
    refs, there = scene.refs(), make_repository(scene.place(), {"a": "a\n"})
    git(there, "update-ref", refs.feature, "HEAD")
    shared = address.address_of(f"file://{there}", protocols=("file",))
    found = push.tips(scene.repository, shared, [refs.feature, refs.specs])
    assert found == {refs.feature: git(there, "rev-parse", "HEAD")}


@plays("address.address_of", "address.Address.shown", "address.remote_url")
def _address(scene: Scene) -> None:
    assert address.address_of("https://ada:secret@example.org/ada/calc.git").shown == "https://example.org/ada/calc.git"
    assert address.remote_url(scene.repository.runner, "up") in {None, str(scene.checkout)}
    with pytest.raises(remote_errors.BadAddress):
        address.address_of(address.remote_url(scene.repository.runner, "origin") or "ext::x")


@plays(*(f"forge_github.GitHub.{name}" for name in ("find", "open_draft", "read", "update_body", "status", "close")))
def _github(scene: Scene) -> None:
    asyncio.run(_pull_request("github", scene.refs().feature))


@plays(*(f"forge_gitlab.GitLab.{name}" for name in ("find", "open_draft", "read", "update_body", "status", "close")))
def _gitlab(scene: Scene) -> None:
    asyncio.run(_pull_request("gitlab", scene.refs().feature))


@plays(
    *("forge.connect", "forge.forge_of", "forge.own_host"),
    *(
        f"forge_rest.{name}"
        for name in ("Rest.get", "Rest.send", "Rest.pages", "Rest.close", "best", "open_or_find", "said_by", "understood")
    ),
)
def _any_forge(scene: Scene) -> None:
    hosts = {"forge.example.org": forge.own_host("gitlab", "forge.example.org")}
    found = forge.forge_of(address.address_of("git@forge.example.org:ada/calc.git"), hosts)
    assert found == forge.ForgeAddress(kind="gitlab", host="forge.example.org", api="https://forge.example.org/api/v4", path="ada/calc")
    asyncio.run(_pull_request("github", scene.refs().feature))


async def _pull_request(kind: forge.ForgeKind, branch: str) -> None:
    """Opens a pull request, writes into it and reads it; then the forge refuses."""
    async with FakeForge(kind=kind) as fake:
        connected = forge.connect(fake.address, TOKEN)
        assert isinstance(connected, forge_github.GitHub if kind == "github" else forge_gitlab.GitLab)
        try:
            opened = await connected.open_draft(forge.Draft(title="Add it", body="Why", head=branch, base="main"))
            await connected.update_body(opened.number, "New")
            found = await connected.find(branch)
            assert found == await connected.read(opened.number)
            assert found is not None
            assert (found.body, found.draft) == ("New", True)
            assert (await connected.status(found.number)).checks == ()
            fake.faults.append(Fault(when="GET", status=403))
            with pytest.raises(remote_errors.NotPermitted, match="The fake refuses"):
                await connected.read(found.number)
        finally:
            await connected.close()
