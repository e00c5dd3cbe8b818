"""The demo's agent: the built-in loop over a scripted model, at no cost, in the toy repository and nowhere else."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from specthread.agents.backend import Assignment, RunEnd, RunPort, Toolbox, ToolUse
from specthread.agents.demo.material import MARKER
from specthread.agents.demo.story import demo_story
from specthread.agents.prices import NO_COST, PriceTable
from specthread.agents.scripted import ScriptedModel
from specthread.agents.turns import MessagesBackend
from specthread.domain.provider import ProviderState

REFUSED = (
    "DEMO: this agent follows a script and works only in the toy repository that `specthread demo` makes. "
    "Give Specthread a model to work on yours: `specthread doctor` names the ways."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoBackend:
    """Plays the demo's story through the built-in loop."""

    loop: MessagesBackend
    name: ClassVar[str] = "demo"
    needs_place: ClassVar[bool] = False

    @property
    def prices(self) -> PriceTable:
        """Nothing costs anything."""
        return self.loop.prices

    def provider_state(self, now: datetime) -> ProviderState:
        """Returns how the script stands; it is always ready."""
        return self.loop.provider_state(now)

    async def run(self, assignment: Assignment, port: RunPort, toolbox: Toolbox) -> RunEnd:
        """Plays a run; in any repository but the toy one it fails with a sentence before it says anything."""
        readme = await toolbox.use(ToolUse(id="marker", name="read", input={"path": "README.md"}))
        if not is_demo_repository(readme.content):
            return RunEnd(kind="failed", reason=REFUSED)
        return await self.loop.run(assignment, port, toolbox)


def demo_backend(*, pause: float = 0.0) -> DemoBackend:
    """Returns the demo's agent, which waits `pause` seconds between the pieces of what it says."""
    return DemoBackend(loop=MessagesBackend(model=ScriptedModel(story=demo_story, pause=pause), prices=NO_COST))


def is_demo_repository(readme: str) -> bool:
    """Tells from its README whether a repository is the toy one."""
    return MARKER in readme
