"""Named refs reach another repository by a lease, and nothing that this repository's config names runs on the way."""

import os
import stat
from pathlib import Path

import pytest

from specgit.address import address_of
from specgit.push import Lease, push, tips
from specgit.remote_errors import BadAddress, LeaseLost, NoAccess, PushRejected, Unreachable
from specgit.repository import Repository
from specgit.types import Oid, RefName
from support.git_fixture import commit_files, fingerprint, git

FEATURE = RefName("refs/heads/spectask/add-7k3f/feature")
SPECS = RefName("refs/heads/spectask/add-7k3f/specs")
TAG = RefName("refs/tags/spectask/add-7k3f/v1")
NONE = Oid("1" * 40)


@pytest.fixture
def bare(tmp_path):
    path = tmp_path / "shared.git"
    git(tmp_path, "init", "--quiet", "--bare", str(path))
    return path


@pytest.fixture
def address(bare):
    return address_of(f"file://{bare}", protocols=("file",))


@pytest.fixture
def there(bare):
    return lambda: dict(line.split(" ") for line in git(bare, "for-each-ref", "--format=%(refname) %(objectname)").splitlines())


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_a_ref_is_made_and_moved_from_where_it_was_left(checkout, repository, base, address, there):
    before = fingerprint(checkout)
    push(repository, address, [Lease(ref=FEATURE, oid=base, expected=None)])
    assert there() == {FEATURE: base}
    assert fingerprint(checkout) == before
    later = Oid(commit_files(checkout, {"b": "2\n"}, "More"))
    push(repository, address, [Lease(ref=FEATURE, oid=later, expected=base)])
    assert there() == {FEATURE: later}
    assert tips(repository, address, [FEATURE, SPECS]) == {FEATURE: later}


def test_pushing_again_what_is_there_is_no_fault(repository, base, address):
    lease = Lease(ref=FEATURE, oid=base, expected=None)
    push(repository, address, [lease])
    push(repository, address, [lease])


def test_a_ref_that_somebody_moved_is_left_to_them(checkout, repository, base, address, bare, there):
    push(repository, address, [Lease(ref=FEATURE, oid=base, expected=None)])
    ours = Oid(commit_files(checkout, {"b": "2\n"}, "Ours"))
    theirs = git(bare, "commit-tree", f"{base}^{{tree}}", "-p", base, "-m", "Theirs")
    git(bare, "update-ref", FEATURE, theirs)
    with pytest.raises(LeaseLost, match="Somebody else moved"):
        push(repository, address, [Lease(ref=FEATURE, oid=ours, expected=base)])
    git(bare, "update-ref", "-d", FEATURE)
    with pytest.raises(LeaseLost):
        push(repository, address, [Lease(ref=FEATURE, oid=ours, expected=base)])
    assert there() == {}


def test_a_ref_that_should_not_be_there_is_left_to_whom_it_belongs(checkout, repository, base, address, there):
    push(repository, address, [Lease(ref=FEATURE, oid=base, expected=None)])
    later = Oid(commit_files(checkout, {"b": "2\n"}, "More"))
    with pytest.raises(LeaseLost):
        push(repository, address, [Lease(ref=FEATURE, oid=later, expected=None)])
    assert there() == {FEATURE: base}


def test_all_refs_move_or_none(checkout, repository, base, address, there):
    git(checkout, "tag", "-a", "-m", "v1", TAG.removeprefix("refs/tags/"), base)
    tag = Oid(git(checkout, "rev-parse", TAG))
    leases = [
        Lease(ref=FEATURE, oid=base, expected=None),
        Lease(ref=TAG, oid=tag, expected=None),
        Lease(ref=SPECS, oid=base, expected=NONE),
    ]
    with pytest.raises(LeaseLost, match="specs"):
        push(repository, address, leases)
    assert there() == {}
    push(repository, address, leases[:2])
    assert there() == {FEATURE: base, TAG: tag}


def test_the_reason_of_the_other_side_is_told(repository, base, address, bare):
    program(bare / "hooks/pre-receive", "echo No pushes on Fridays. >&2; exit 1")
    with pytest.raises(PushRejected, match=r"pre-receive hook declined \(No pushes on Fridays\.\)"):
        push(repository, address, [Lease(ref=FEATURE, oid=base, expected=None)])


def test_nothing_else_is_pushed_whatever_the_person_configured(checkout, repository, base, address, there):
    git(checkout, "tag", "-a", "-m", "of theirs", "v9", base)
    git(checkout, "config", "--file", str(Path(os.environ["HOME"]) / ".gitconfig"), "push.followTags", "true")
    push(repository, address, [Lease(ref=FEATURE, oid=base, expected=None)])
    assert there() == {FEATURE: base}


@pytest.mark.parametrize(
    "ref", ["main", "refs/heads/../x", "refs/heads/x.lock", "refs/heads/a b", "--force", "refs/heads/x:refs/heads/main", "HEAD"]
)
def test_a_ref_is_named_in_full_and_alone(repository, base, address, ref):
    with pytest.raises(BadAddress):
        push(repository, address, [Lease(ref=RefName(ref), oid=base, expected=None)])


@pytest.mark.parametrize("oid", ["main", "", "+main", "--all", "HEAD~1"])
def test_what_is_pushed_is_named_by_its_id(repository, address, oid):
    with pytest.raises(BadAddress):
        push(repository, address, [Lease(ref=FEATURE, oid=Oid(oid), expected=None)])


def test_a_repository_that_is_not_there_is_no_access(repository, base, tmp_path):
    with pytest.raises(NoAccess, match="did not let git in, or there is no such repository"):
        push(repository, address_of(str(tmp_path / "gone"), protocols=("file",)), [Lease(ref=FEATURE, oid=base, expected=None)])


def test_a_shallow_clone_pushes_what_it_has(checkout, repository, base, address, bare, tmp_path, there):
    boundary = Oid(commit_files(checkout, {"b": "2\n"}, "More"))
    push(repository, address, [Lease(ref=FEATURE, oid=boundary, expected=None)])
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{checkout}", "shallow")
    tip = Oid(commit_files(tmp_path / "shallow", {"c": "3\n"}, "On top"))
    push(Repository.open(tmp_path / "shallow"), address, [Lease(ref=FEATURE, oid=tip, expected=boundary)])
    assert there() == {FEATURE: tip}


# --- the way there


@pytest.fixture
def ssh(tmp_path, monkeypatch):
    """An ssh program that writes down how it was called, says something, and fails."""
    log = tmp_path / "ssh.log"
    said = tmp_path / "ssh.says"
    said.write_text("ssh: connect to host git.example.org port 22: Connection refused\n")
    program(tmp_path / "bin/ssh", f'echo "$@" >> {log}; cat {said} >&2; exit 255')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return log, said


SSH = address_of("git@git.example.org:ada/calc.git")


def test_no_network_is_told_apart_from_no_access(repository, base, ssh):
    lease = Lease(ref=FEATURE, oid=base, expected=None)
    with pytest.raises(Unreachable, match=r"git@git\.example\.org:ada/calc\.git cannot be reached"):
        push(repository, SSH, [lease])
    for words in ("git@git.example.org: Permission denied (publickey).", "Host key verification failed.", "ERROR: Repository not found."):
        ssh[1].write_text(words)
        with pytest.raises(NoAccess, match="git push"):
            push(repository, SSH, [lease])
    assert "-oBatchMode=yes" in ssh[0].read_text()


def test_the_persons_own_way_to_the_network_counts(repository, base, ssh, tmp_path):
    own = program(tmp_path / "own", f"touch {tmp_path}/own-was-used; exit 255")
    config = Path(os.environ["HOME"]) / ".gitconfig"
    git(tmp_path, "config", "--file", str(config), "core.sshCommand", str(own))
    with pytest.raises(NoAccess):
        push(repository, SSH, [Lease(ref=FEATURE, oid=base, expected=None)])
    assert (tmp_path / "own-was-used").exists()
    assert not ssh[0].exists()


def test_silence_ends(repository, base, tmp_path, ssh):
    program(tmp_path / "bin/ssh", "exec sleep 60")
    with pytest.raises(Unreachable, match="did not answer within"):
        push(repository, SSH, [Lease(ref=FEATURE, oid=base, expected=None)], seconds=0.5)


def test_a_config_of_the_person_that_leads_to_another_kind_of_address_is_not_followed(repository, base, tmp_path, ssh):
    config = Path(os.environ["HOME"]) / ".gitconfig"
    git(tmp_path, "config", "--file", str(config), f"url.ext::touch% {tmp_path}/ext% .insteadOf", "git@git.example.org:")
    with pytest.raises(BadAddress, match="another kind"):
        push(repository, SSH, [Lease(ref=FEATURE, oid=base, expected=None)])
    assert not (tmp_path / "ext").exists()


# --- what an agent may have written


@pytest.fixture
def hostile(checkout, tmp_path, bare):
    """A repository whose config and hooks all lead to programs that leave a file behind, or to another place."""
    traps = tmp_path / "traps"
    traps.mkdir()
    elsewhere = tmp_path / "elsewhere.git"
    git(tmp_path, "init", "--quiet", "--bare", str(elsewhere))
    keys = (
        "core.sshCommand core.gitProxy core.askPass core.alternateRefsCommand credential.helper remote.origin.receivepack remote.origin.vcs"
    )
    for key in [*keys.split(), "gpg.program", "core.fsmonitor", "credential.https://git.example.org.helper", "uploadpack.packObjectsHook"]:
        git(checkout, "config", key, f"!touch {traps}/{key.replace('/', '_')}; false")
    git(checkout, "config", "core.sshCommand", f"touch {traps}/sshCommand; false")
    for start in (f"file://{bare}", "git@git.example.org:", "https://"):
        git(checkout, "config", "--add", f"url.file://{elsewhere}.insteadOf", start)
        git(checkout, "config", "--add", f"url.file://{elsewhere}.pushInsteadOf", start)
    settings = {"remote.origin.pushurl": f"ext::sh -c touch% {traps}/ext", "protocol.allow": "always", "push.gpgSign": "true"}
    settings |= {"core.hooksPath": str(tmp_path / "hooks"), "push.followTags": "true", "http.proxy": "http://127.0.0.1:1"}
    for key, value in settings.items():
        git(checkout, "config", key, value)
    for folder in (checkout / ".git/hooks", tmp_path / "hooks"):
        for hook in ("pre-push", "reference-transaction", "post-index-change"):
            program(folder / hook, f"touch {traps}/{hook}")
    for path in traps.iterdir():
        path.unlink()
    return traps, elsewhere


def test_nothing_that_the_repository_names_runs_or_redirects_a_push(hostile, repository, base, address, there, ssh):
    traps, elsewhere = hostile
    lease = Lease(ref=FEATURE, oid=base, expected=None)
    push(repository, address, [lease])
    assert there() == {FEATURE: base}
    assert tips(repository, address, [FEATURE]) == {FEATURE: base}
    with pytest.raises(Unreachable):
        push(repository, SSH, [lease])
    assert ssh[0].exists(), "it went to the address that was given"
    assert [path.name for path in traps.iterdir()] == []
    assert git(elsewhere, "for-each-ref") == ""


def test_the_traps_are_real(hostile, checkout, base, bare, there):
    traps, elsewhere = hostile
    git(checkout, "push", "--quiet", "--no-signed", f"file://{bare}", f"{base}:{FEATURE}")
    assert "pre-push" in {path.name for path in traps.iterdir()}
    assert there() == {}
    assert FEATURE in git(elsewhere, "for-each-ref")
