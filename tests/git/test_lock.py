import subprocess
import sys

import pytest

from specgit.errors import RepositoryBusy
from specgit.lock import RepositoryLock

HOLDER = """
import sys
from pathlib import Path
from specgit.lock import RepositoryLock
from specgit.repository import Repository
with RepositoryLock(Repository.open(Path(sys.argv[1])), "process 42, state /somewhere"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(checkout):
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(checkout)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_daemon_is_told_who_is_the_first(repository, holder):
    with pytest.raises(RepositoryBusy, match="process 42, state /somewhere") as caught:
        RepositoryLock(repository, "me").acquire()
    assert caught.value.owner == "process 42, state /somewhere"


def test_the_lock_of_a_killed_daemon_is_free(repository, holder):
    holder.kill()
    holder.wait()
    with RepositoryLock(repository, "me"):
        assert (repository.git_dir / "specthread/daemon.lock").read_text() == "me"


def test_a_released_lock_can_be_taken_again_and_releasing_twice_is_harmless(repository):
    lock = RepositoryLock(repository, "me")
    lock.release()
    lock.acquire()
    with pytest.raises(RepositoryBusy):
        RepositoryLock(repository, "other").acquire()
    lock.release()
    lock.release()
    with RepositoryLock(repository, "other"):
        pass


def test_the_lock_does_not_stop_the_owner_from_writing(repository, writer):
    with RepositoryLock(repository, "me"):
        assert writer.recover().pending == ()
