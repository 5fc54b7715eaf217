"""Ways out of a case, with their price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from erp.kernel.calendars import BusinessCalendar
from exceptions.rules.exposure import CENT, NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Loser:
    """Somebody whom a play takes something from: what, and what it is worth."""

    name: str
    what: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """One way out. `cost` is what it costs us, in `currency`, penalties included.

    `permission` is the gate: who runs it must hold it in the case's entity. `barred` says why this
    person may not; empty when they may, or nobody was asked. `facts` are what running it needs.
    """

    key: str
    title: str
    detail: str
    cost: Decimal
    currency: str
    permission: str
    gate: str
    new_date: date | None = None
    losers: tuple[Loser, ...] = ()
    is_complete: bool = True
    barred: str = ""
    facts: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def who_loses(self) -> str:
        return "; ".join(f"{one.name}: {one.what}" for one in self.losers) or "Nobody loses."

    def kept(self) -> dict[str, Any]:
        """Return the play as it stays on the case for ever: decimals and dates as text."""
        return {
            "key": self.key,
            "title": self.title,
            "detail": self.detail,
            "cost": str(self.cost),
            "currency": self.currency,
            "new_date": self.new_date and self.new_date.isoformat(),
            "losers": [
                {"name": one.name, "what": one.what, "amount": str(one.amount)}
                for one in self.losers
            ],
            "gate": self.gate,
            "facts": dict(self.facts),
        }


def ranked(plays: Sequence[Play]) -> list[Play]:
    """Return the best first: what this person may run, what mends it whole, cost, then date."""
    return sorted(
        plays,
        key=lambda play: (
            bool(play.barred),
            not play.is_complete,
            play.cost + sum((one.amount for one in play.losers), NOTHING),
            play.new_date or date.max,
            play.key,
        ),
    )


def barred(play: Play, why: str) -> Play:
    """Return the play as one that may not be run, with the reason."""
    return replace(play, barred=why)


def arrival(
    *, supplied: date, handling_days: int, transit_days: int, calendar: BusinessCalendar
) -> date:
    """Return when goods that are at the node on `supplied` can be with the customer."""
    leaves = calendar.next_working_day(supplied, days=handling_days)
    return leaves + timedelta(days=transit_days)


def extra_freight(
    *, base: Decimal, per_kg: Decimal, weight: Decimal, travels_with_others: bool
) -> Decimal:
    """Return what a parcel of its own costs more than going along. `weight` is kilograms.

    Where nothing else of the order leaves from the first node there is one parcel either way, and
    the difference is nothing. Half up to the cent.
    """
    alone = base + per_kg * weight
    otherwise = per_kg * weight if travels_with_others else alone
    return (alone - otherwise).quantize(CENT, rounding=ROUND_HALF_UP)
