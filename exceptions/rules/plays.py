"""Ways out of a case, with their price."""

import hashlib
import json
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

    `new_date` is when the customer has the goods one time of two, `p90_date` nine of ten. `margin`
    is what we earn on what it serves, once `cost` is paid; none where it is about no sale.
    `permission` is the gate: who runs it must hold it in the case's entity. `barred` says why this
    person may not; empty when they may, or nobody was asked. `proposed` says that the decision
    layer would do it, and why. `facts` are what running it needs.
    """

    key: str
    title: str
    detail: str
    cost: Decimal
    currency: str
    permission: str
    gate: str
    new_date: date | None = None
    p90_date: date | None = None
    margin: Decimal | None = None
    losers: tuple[Loser, ...] = ()
    is_complete: bool = True
    barred: str = ""
    proposed: str = ""
    facts: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def who_loses(self) -> str:
        return "; ".join(f"{one.name}: {one.what}" for one in self.losers) or "Nobody loses."

    @property
    def taken(self) -> Decimal:
        """What it takes from others, in `currency`."""
        return sum((one.amount for one in self.losers), NOTHING)

    @property
    def score(self) -> Decimal:
        """What it costs us and takes from others, as a loss: the highest is the best."""
        return -(self.cost + self.taken)

    @property
    def reasons(self) -> list[str]:
        """Why it ranks where it does, the weightiest first."""
        said = ["mends it whole" if self.is_complete else "mends only a part"]
        said.append(f"costs {self.cost:,.2f} {self.currency}" if self.cost else "costs nothing")
        if self.taken:
            said.append(f"takes {self.taken:,.2f} {self.currency} from others")
        if self.margin is not None:
            said.append(f"{self.margin:,.2f} {self.currency} margin after")
        if self.new_date:
            sure = f", 9 of 10 by {self.p90_date:%-d %b}" if self.p90_date else ""
            said.append(f"there by {self.new_date:%-d %b}{sure}")
        return said

    @property
    def fingerprint(self) -> str:
        """What somebody agrees to, in short: the play with its price, days, losers and steps."""
        said = json.dumps(self.kept(), sort_keys=True, default=str)
        return hashlib.sha256(said.encode()).hexdigest()

    def kept(self) -> dict[str, Any]:
        """Return the play as it stays on the case for ever: decimals and dates as text."""
        return {
            "key": self.key,
            "title": self.title,
            "detail": self.detail,
            "cost": str(self.cost),
            "currency": self.currency,
            "new_date": self.new_date and self.new_date.isoformat(),
            "p90_date": self.p90_date and self.p90_date.isoformat(),
            "margin": None if self.margin is None else str(self.margin),
            "score": str(self.score),
            "reasons": self.reasons,
            "losers": [
                {"name": one.name, "what": one.what, "amount": str(one.amount)}
                for one in self.losers
            ],
            "gate": self.gate,
            "permission": self.permission,
            "facts": dict(self.facts),
        }


@dataclass(frozen=True, slots=True)
class Done:
    """What a play did: the sentence for the case, and what undoing it needs."""

    said: str
    made: Mapping[str, str | int] = field(default_factory=dict)


def not_chosen(offered: Sequence[Play], chosen: Play) -> list[dict[str, Any]]:
    """Return the others as they stay on the case, which more people read than were offered them.

    What tells of a sister company's stock is left out.
    """
    others = [play for play in offered if play.key != chosen.key]
    return [play.kept() for play in others if "seller_id" not in play.facts]


def ranked(plays: Sequence[Play]) -> list[Play]:
    """Return the best first: what this person may run, what is proposed, whole, cost, then date."""
    return sorted(
        plays,
        key=lambda play: (
            bool(play.barred),
            not play.proposed,
            not play.is_complete,
            -play.score,
            play.new_date or date.max,
            play.key != "pegged_inbound",  # of two that are alike, the one that moves by itself
            play.key,
        ),
    )


def unbarred(plays: Sequence[Play]) -> list[Play]:
    """Return them as they are to the house itself, the best first: nobody's rights count."""
    return ranked([replace(play, barred="") for play in plays])


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
