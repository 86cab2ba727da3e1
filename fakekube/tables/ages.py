"""How long ago something was, in as many words as fit a column."""

from __future__ import annotations

import functools
from datetime import datetime

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
YEAR = 365 * DAY
UNKNOWN = "<unknown>"
INVALID = "<invalid>"


@functools.lru_cache(maxsize=4096)
def parse(stamp: str) -> float | None:
    """Return the seconds since the epoch of a time; None if it is none."""
    try:
        found = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return found.timestamp() if found.tzinfo else None


def age(stamp: str | None, now: float) -> str:
    """Return how long ago a time was."""
    moment = parse(stamp) if stamp else None
    return UNKNOWN if moment is None else human(now - moment)


def human(duration: float) -> str:
    """Return a duration in its two most important units."""
    seconds = int(duration)
    if seconds < -1:
        return INVALID
    if seconds < 0:
        return "0s"
    if seconds < 2 * MINUTE:
        return f"{seconds}s"
    minutes, hours, days = seconds // MINUTE, seconds // HOUR, seconds // DAY
    if seconds < 10 * MINUTE:
        return _two(minutes, "m", seconds % MINUTE, "s")
    if seconds < 3 * HOUR:
        return f"{minutes}m"
    if seconds < 8 * HOUR:
        return _two(hours, "h", minutes % 60, "m")
    if seconds < 2 * DAY:
        return f"{hours}h"
    if seconds < 8 * DAY:
        return _two(days, "d", hours % 24, "h")
    if seconds < 2 * YEAR:
        return f"{days}d"
    years = seconds // YEAR
    return _two(years, "y", days % 365, "d") if seconds < 8 * YEAR else f"{years}y"


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large}{unit}{small}{smaller}" if small else f"{large}{unit}"
