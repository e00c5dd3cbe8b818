"""What the headers of an answer say of the time until more may be asked: `retry-after`, and the allowances `anthropic-ratelimit-*` with their resets.

Resets are times of the server; they are compared with the server's own `date`, so a wrong clock here does no harm.
https://docs.claude.com/en/api/rate-limits#response-headers
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

ALLOWANCES = ("requests", "tokens", "input-tokens", "output-tokens")


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Returns the seconds after which a refused call may be repeated: those that were asked for, else until the last exhausted allowance is there again."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) * unit)
        except KeyError:
            continue
        except ValueError:
            if (at := _date(headers[name])) is not None:
                return max(0.0, (at - _now_there(headers, now)).total_seconds())
    return exhausted_for(headers, now) or None


def exhausted_for(headers: Mapping[str, str], now: datetime) -> float:
    """Returns the seconds until every allowance of which nothing is left is there again; 0 where something is left of each, or nothing is said."""
    return max(
        (_until_reset(headers, name, now) for name in ALLOWANCES if headers.get(f"anthropic-ratelimit-{name}-remaining") == "0"),
        default=0.0,
    )


def _until_reset(headers: Mapping[str, str], name: str, now: datetime) -> float:
    try:
        reset = datetime.fromisoformat(headers[f"anthropic-ratelimit-{name}-reset"])
        return max(0.0, (reset - _now_there(headers, now)).total_seconds())
    except (KeyError, ValueError, TypeError):  # missing, no time, or one without a zone
        return 0.0


def _now_there(headers: Mapping[str, str], now: datetime) -> datetime:
    return _date(headers.get("date", "")) or now


def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
