"""A person's pull request from end to end: an engine, a shared repository reached by an ssh of our own, and a fake forge."""

import asyncio
import json
import stat
from contextlib import asynccontextmanager
from pathlib import Path

from specthread.domain.model import Refusal
from specthread.engine.forges import Forges
from support.engine_world import ADA, plan, story_of, task, world
from support.fake_forge import TOKEN, FakeForge
from support.git_fixture import git

REMOTE = "git@forge.example.org:ada/calc.git"
QUIET = 10.0
EVERY = 300.0
PATIENCE = 20.0


class Naps:
    """Sleeps as long as a test wants: quiet moments pass at once, longer ones when they are ended."""

    def __init__(self):
        self.slept = []
        self.begun = asyncio.Event()
        self._asleep = set()

    async def sleep(self, seconds):
        self.slept.append(seconds)
        if seconds == QUIET:
            return
        woken = asyncio.Event()
        self._asleep.add(woken)
        self.begun.set()
        try:
            await woken.wait()
        finally:
            self._asleep.discard(woken)

    async def wait_nap(self):
        """Returns when somebody sleeps a long time."""
        async with asyncio.timeout(PATIENCE):
            while not self._asleep:
                self.begun.clear()
                await self.begun.wait()

    async def pass_by(self):
        """Lets the long time pass."""
        await self.wait_nap()
        for woken in tuple(self._asleep):
            woken.set()
            self._asleep.discard(woken)


class ForgeStory:
    """One SpecTask with an approved spec, whose repository has the remote `origin`."""

    def __init__(self, world, fake, shared, naps, asked):
        self.world = world
        self.fake = fake
        self.shared = shared
        self.naps = naps
        self.asked_tokens = asked

    @property
    def spectask(self):
        return self.world.spectask

    @property
    def feature(self):
        return f"refs/heads/spectask/{self.world.id}/feature"

    async def plan(self, remote="origin", *, records=False):
        return await self.world.engine.pull_requests.plan(self.spectask, remote, records=records)

    async def ask(self, *, records=False):
        """Agrees to what would be pushed."""
        planned = await self.plan(records=records)
        return planned if isinstance(planned, Refusal) else await self.world.engine.pull_requests.open(self.spectask, planned, ADA)

    def there(self):
        """What the shared repository holds."""
        return dict(line.split(" ") for line in git(self.shared, "for-each-ref", "--format=%(refname) %(objectname)").splitlines())

    async def arrives(self, reached):
        """Returns when the forge has been asked something after which `reached()` is true."""
        async with asyncio.timeout(PATIENCE):
            while not reached():
                self.fake.arrived.clear()
                await self.fake.arrived.wait()


@asynccontextmanager
async def forge_story(folder: Path, repository: Path, *, kind="github", token=TOKEN, approve=True, **given):
    """Tells the story up to the approval; `given` goes to the fake forge."""
    shared = folder / "shared.git"
    if not shared.exists():
        git(folder, "init", "--quiet", "--bare", str(shared))
        git(repository, "config", "remote.origin.url", REMOTE)
        reach_by_ssh(folder, shared)
    naps, asked = Naps(), []

    async def token_for(address):
        asked.append(address.host)
        return token

    tasks = plan(task(1, "Subtract", 'python3 -c "import calc"'), task(2, "Multiply", 'python3 -c "import calc"', depends="1"))
    async with FakeForge(kind=kind, **given) as fake:
        forges = Forges(hosts={"forge.example.org": fake.host}, token=token_for, every=EVERY, quiet=QUIET, sleep=naps.sleep)
        async with world(folder, repository, story_of(tasks, {}), forges=forges, secrets=("hunter2-hunter2",)) as found:
            if approve:
                await found.create("Subtract one number from another number, and never show hunter2-hunter2")
                await found.approve()
            else:
                (found.id,) = found.engine.visible.spectasks
            yield ForgeStory(found, fake, shared, naps, asked)


def reach_by_ssh(folder: Path, shared: Path) -> None:
    """Makes the person's own ssh lead to a repository on this disk; what it was asked for is written to `ssh.log`."""
    program = folder / "ssh"
    log = json.dumps(str(folder / "ssh.log"))
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {log}\ncase "$*" in\n'
        f"*git-receive-pack*) exec git receive-pack '{shared}';;\n*git-upload-pack*) exec git upload-pack '{shared}';;\nesac\nexit 1\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    config = folder / "home/.gitconfig"
    git(folder, "config", "--file", str(config), "core.sshCommand", str(program))
