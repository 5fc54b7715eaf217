"""Who is there at a moment, and who is next: local times, seven weekdays from Monday."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEK = 7


@dataclass(frozen=True, slots=True)
class ShiftTimes:
    """One shift in `zone`. One that ends no later than it begins ends the next day."""

    weekdays: str
    starts: time
    ends: time
    zone: ZoneInfo
    valid_from: date | None = None
    valid_until: date | None = None

    def begins_on(self, day: date) -> bool:
        """Test if the shift begins on this local day."""
        if self.valid_from and day < self.valid_from:
            return False
        if self.valid_until and day > self.valid_until:
            return False
        return self.weekdays[day.weekday()] == "1"

    def on(self, day: date) -> tuple[datetime, datetime]:
        """Return from when to when it lasts that begins on this local day."""
        last = day if self.ends > self.starts else day + timedelta(days=1)
        return (
            datetime.combine(day, self.starts, self.zone),
            datetime.combine(last, self.ends, self.zone),
        )


def waits(shifts: Sequence[ShiftTimes], now: datetime) -> timedelta | None:
    """Return how long until somebody with these shifts is there: zero while they are.

    None where none of them begins within a week. Who has no shifts is always there. Both ends are
    wall time, so that a shift is an hour longer or shorter when the clocks change.
    """
    if not shifts:
        return timedelta()
    found: list[timedelta] = []
    for one in shifts:
        today = now.astimezone(one.zone).date()
        for step in range(-1, WEEK + 1):
            day = today + timedelta(days=step)
            if not one.begins_on(day):
                continue
            begins, ends = one.on(day)
            if begins.timestamp() <= now.timestamp() < ends.timestamp():
                return timedelta()
            if begins.timestamp() > now.timestamp():
                found.append(timedelta(seconds=begins.timestamp() - now.timestamp()))
                break
    return min(found, default=None)
