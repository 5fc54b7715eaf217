"""Rates of exchange: kept by day, and found for a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar

from django.db import transaction

from erp.kernel.errors import DomainError
from erp.kernel.sql import rows, run
from finance.rules import inverse

SAVE = """
    INSERT INTO finance_exchangerate AS r (base, quote, on_date, rate)
    SELECT * FROM unnest(%(bases)s::text[], %(quotes)s::text[], %(days)s::date[],
        %(rates)s::numeric[])
    ON CONFLICT (base, quote, on_date) DO UPDATE SET rate = excluded.rate
    WHERE r.rate <> excluded.rate
"""

# The newest rate of the day or before it, either way round.
FIND = """
    SELECT r.base, r.rate FROM finance_exchangerate r
    WHERE (r.base, r.quote) IN ((%(base)s, %(quote)s), (%(quote)s, %(base)s))
        AND r.on_date <= %(on)s
    ORDER BY r.on_date DESC, r.base = %(base)s DESC
    LIMIT 1
"""


class NoRate(DomainError):
    """There is no rate of exchange for that day."""

    code: ClassVar[str] = "finance.no_rate"

    def __init__(self, base: str, quote: str, on: date) -> None:
        super().__init__(f"There is no rate from {base} to {quote} on {on:%-d %B %Y} or before.")
        self.base, self.quote, self.on = base, quote, on


class BadRate(DomainError):
    """A rate is not above zero, or its two currencies are one."""

    code: ClassVar[str] = "finance.bad_rate"


@dataclass(frozen=True, slots=True)
class RateRow:
    """From `on_date` one `base` is `rate` of `quote`."""

    base: str
    quote: str
    on_date: date
    rate: Decimal


@transaction.atomic
def save_rates(*, rates: Sequence[RateRow]) -> int:
    """Keep rates of exchange, thousands in one statement; return how many are new or different.

    What was converted before keeps the rate it was converted at.

    Raises:
        BadRate: one is not above zero, or its two currencies are one.
    """
    for each in rates:
        if not (each.rate.is_finite() and each.rate > 0) or each.base == each.quote:
            raise BadRate("A rate is above zero and between two currencies.")
    unique = {(each.base, each.quote, each.on_date): each.rate for each in rates}
    return run(
        SAVE,
        {
            "bases": [key[0] for key in unique],
            "quotes": [key[1] for key in unique],
            "days": [key[2] for key in unique],
            "rates": list(unique.values()),
        },
    )


def rate_on(base: str, quote: str, on: date) -> Decimal:
    """Return how much `quote` is given for one `base` on a day, to a billionth.

    The newest rate of that day or before it counts, in whichever direction it was kept.

    Raises:
        NoRate: there is none.
    """
    found = known_rate(base, quote, on)
    if found is None:
        raise NoRate(base, quote, on)
    return found


def known_rate(base: str, quote: str, on: date) -> Decimal | None:
    """Return the rate as `rate_on` does; None where there is none."""
    if base == quote:
        return Decimal(1)
    found = rows(FIND, {"base": base, "quote": quote, "on": on})
    if not found:
        return None
    kept, rate = found[0]
    return Decimal(rate) if kept == base else inverse(Decimal(rate))
