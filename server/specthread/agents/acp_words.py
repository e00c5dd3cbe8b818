"""What an external agent is told at the start, and when its conversation from before is lost."""

from collections.abc import Sequence

from specthread.agents.backend import Text, ToolUse, Turn
from specthread.agents.prompts import cut
from specthread.domain.text import material

GO_ON = "You were interrupted. Look at the state of your work, then go on with your task where you were."
NOTHING_SAID = "The agent ended its turn without a word."
KEPT_TURNS = 20
KEPT_CHARACTERS = 1_000
"""How many of the last turns are told again, and how much of each thing said in them."""


def started(system: str, opening: str) -> str:
    """Returns the first words to an agent; it has no other place for what every agent is told."""
    return f"{system.rstrip()}\n\n{opening}"


def resumed(system: str, opening: str, turns: Sequence[Turn], heard: Sequence[str]) -> str:
    """Returns the first words to an agent that does not know any more what it did: its task, the end of our transcript as material, and what was said since."""
    lines = [line for turn in turns[-KEPT_TURNS:] for line in _lines(turn)]
    done = f"# What you did before\n\nYou were interrupted. This is the end of what you did until then:\n\n{material('transcript', chr(10).join(lines))}"
    return "\n\n".join([started(system, opening).rstrip(), done, *(heard or (GO_ON,))])


def _lines(turn: Turn) -> list[str]:
    results = {result.tool_use_id: result.content for result in turn.results}
    lines = []
    for block in turn.reply.content if turn.reply else ():
        if isinstance(block, Text):
            lines.append(f"You said: {cut(block.text.strip(), KEPT_CHARACTERS)}")
        elif isinstance(block, ToolUse):
            given = ", ".join(f"{key}: {value}" for key, value in block.input.items())
            lines.append(
                f"You used {block.name}: {cut(given, KEPT_CHARACTERS)}\nIt gave: {cut(results.get(block.id, ''), KEPT_CHARACTERS)}"
            )
    return [*lines, *(f"You were told: {cut(text, KEPT_CHARACTERS)}" for text in turn.follow_up)]
