"""What comes from an external agent, in its order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Update = Mapping[str, Any]
"""What the agent tells of its work, in the protocol's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Is a request for permission, to be answered by its `id`."""

    id: int | str | None
    params: Mapping[str, Any]


Told = Update | Asked | Literal["answered", "gone"]
"""What comes from an agent: `answered` when its turn is over, `gone` when nothing will come any more."""


class WireError(Exception):
    """Says, as the end of a sentence about the agent, why it cannot be talked to; `gone` tells that the process or its pipe ended."""

    def __init__(self, message: str, *, gone: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.gone = gone
