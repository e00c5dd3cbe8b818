"""What the words of the formats mean: EARS keywords, the labels under a task, the marks in a box."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from specthread.spec.boxes import TaskState
from specthread.spec.ears import Pattern
from specthread.views.assist.card import Card
from specthread.views.assist.keywords import KeywordKind

KEYWORDS: Final[Mapping[KeywordKind, Card]] = MappingProxyType(
    {
        "WHEN": Card("WHEN event, THE system SHALL response", ("Event-driven: the response is due each time the event happens.",)),
        "WHILE": Card("WHILE state, THE system SHALL response", ("State-driven: the response is due for as long as the state lasts.",)),
        "WHERE": Card("WHERE feature, THE system SHALL response", ("Optional: it holds only where the feature is part of the system.",)),
        "IF": Card("IF trouble, THEN THE system SHALL response", ("Unwanted behaviour: what is due when something goes wrong.",)),
        "GIVEN": Card("GIVEN state, WHEN event, THEN outcome", ("The situation in which the scenario begins.",)),
        "THEN": Card("THEN", ("Ends the condition; what follows is what must hold.",)),
        "SHALL": Card("SHALL", ("What must hold. One SHALL per criterion, so that each can be built and checked by itself.",)),
        "AND": Card("AND", ("One more step of the same kind as the one before.",)),
    }
)
PATTERNS: Final[Mapping[Pattern, str]] = MappingProxyType(
    {
        "ubiquitous": "always holds (THE … SHALL …)",
        "event": "event-driven (WHEN …)",
        "state": "state-driven (WHILE …)",
        "optional": "optional feature (WHERE …)",
        "unwanted": "unwanted behaviour (IF … THEN …)",
        "complex": "several conditions",
        "none": "follows no EARS pattern",
    }
)
LABELS: Final[Mapping[str, Card]] = MappingProxyType(
    {
        "requirements": Card(
            "_Requirements: 1.1, 2.3-2.5_", ("The criteria that the task fulfils; a whole number means all criteria of that requirement.",)
        ),
        "depends": Card(
            "_Depends: 1, 2.1_",
            (
                "The tasks that must be merged before this one starts. “none” says that it waits for nothing; without the line it waits for the task above.",
            ),
        ),
        "when": Card("_When: task 2 failed_", ("The condition under which the task is done at all.",)),
        "files": Card("_Files: src/a.py, tests/_", ("Where the task works. Work elsewhere is accepted only with a reason.",)),
        "uses": Card(
            "_Uses: database:test, api:github (shared)_",
            ("What only one task at a time may work with, or, shared, a few. The kinds are agent, api, custom, database and file.",),
        ),
        "role": Card("_Role: backend_", ("The point of view of the agent that does it; “implementer” where none is named.",)),
        "check": Card(
            "_Check: command_",
            ("The command that verifies the task: red before it, green after it. “regression” says that no test sees a difference.",),
        ),
        "validates": Card("**Validates: Requirements 1.2**", ("The criteria that a property or its test makes sure of.",)),
    }
)
STATES: Final[Mapping[TaskState, str]] = MappingProxyType(
    {"todo": "to do", "in_progress": "in progress", "done": "done", "queued": "queued", "blocked": "blocked"}
)
