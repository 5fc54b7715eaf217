"""How time is told: stretches of it in words, and how urgent a deadline looks."""

from datetime import datetime

MINUTE, HOUR, DAY = 60, 3_600, 86_400
NOW_SECONDS = 45  # nearer than this is "just now"
RELATIVE_DAYS = 45  # further than this a date says more
LATE_SHARE, HALF_SHARE = 75, 50  # percent of a clock spent


def span(seconds: float) -> str:
    """Write a stretch of time in its largest useful units: 6 d, 3 h 20, 14 min, 30 s."""
    left = int(abs(seconds))
    if left >= 2 * DAY:
        return f"{left // DAY} d"
    if left >= HOUR:
        return f"{left // HOUR} h {left % HOUR // MINUTE:02d}"
    return f"{left // MINUTE} min" if left >= MINUTE else f"{left} s"


def spent_percent(started_at: datetime, due_at: datetime, now: datetime) -> int:
    """Return how much of the time from `started_at` to `due_at` is over, 0 to 100."""
    whole = (due_at - started_at).total_seconds()
    if whole <= 0:
        return 100
    return max(0, min(100, round(100 * (now - started_at).total_seconds() / whole)))


def urgency(left_seconds: float, spent: int) -> str:
    """Return the tone of a clock: the last hour is s1, then by the share that is spent."""
    if left_seconds < HOUR:
        return "s1"
    if spent >= LATE_SHARE:
        return "s2"
    return "s3" if spent >= HALF_SHARE else "muted"
