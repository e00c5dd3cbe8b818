"""What every message has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Wire(BaseModel):
    """Base of every message."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)  # built when first used: most processes use few
