"""The timesheet for other programs."""

import json
from collections.abc import Sequence

from hours.entry import Entry


def as_json(entries: Sequence[Entry]) -> str:
    """Returns a JSON list with one object per entry."""
    fields = [{"day": entry.day.isoformat(), "project": entry.project, "minutes": entry.minutes, "note": entry.note} for entry in entries]
    return json.dumps(fields, indent=2, ensure_ascii=False)
