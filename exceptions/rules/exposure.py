"""What a condition may cost: the figures from which its severity follows."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from exceptions.rules.yardstick import about_dollars, about_local

CENT = Decimal("0.01")
NOTHING = Decimal(0)
CERTAIN = Decimal(1)
TIER_WEIGHTS: Mapping[str, Decimal] = {  # about US dollars
    "A": Decimal(1000),
    "B": Decimal(300),
    "C": Decimal(50),
}
NO_SUPPLY = Decimal("0.98")
LATE_SUPPLY = Decimal("0.95")
STOCK_ELSEWHERE = Decimal("0.5")
SLACK = (  # days between supply and due date, at least -> probability of missing the date
    (5, Decimal("0.1")),
    (2, Decimal("0.2")),
    (1, Decimal("0.3")),
    (0, Decimal("0.4")),
)
HELD = (  # days until the requested date, at least -> probability that the hold misses it
    (4, Decimal("0.15")),
    (2, Decimal("0.35")),
    (0, Decimal("0.6")),
)
EXPIRY = (  # days a lot is still good, at least -> share of it that is usually left over
    (15, Decimal("0.25")),
    (8, Decimal("0.5")),
    (0, Decimal("0.8")),
)
HELD_PAST_DATE = Decimal("0.9")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What is at stake, in `currency`. `p_miss` is a share of one; the money is not negative.

    `tier` is the customer's; no customer has no tier and no weight.
    """

    p_miss: Decimal
    revenue: Decimal
    currency: str = "USD"
    penalty: Decimal = NOTHING
    tier: str = ""
    days_late: int = 0

    @property
    def tier_weight(self) -> Decimal:
        return about_local(TIER_WEIGHTS.get(self.tier, NOTHING), self.currency)

    @property
    def expected_loss(self) -> Decimal:
        """P(miss) x revenue at risk + penalty + tier weight, half up to the cent."""
        exact = self.p_miss * self.revenue + self.penalty + self.tier_weight
        return exact.quantize(CENT, rounding=ROUND_HALF_UP)

    @property
    def rank(self) -> Decimal:
        """The expected loss in about US dollars, to compare it with others. Never for books."""
        return about_dollars(self.expected_loss, self.currency)

    def figures(self) -> dict[str, str | int]:
        """Return the figures as they are kept on the case: decimals as text."""
        return {
            "p_miss": str(self.p_miss),
            "revenue": str(self.revenue.quantize(CENT, rounding=ROUND_HALF_UP)),
            "penalty": str(self.penalty.quantize(CENT, rounding=ROUND_HALF_UP)),
            "tier": self.tier,
            "tier_weight": str(self.tier_weight),
            "days_late": self.days_late,
            "expected_loss": str(self.expected_loss),
        }


def miss_probability(*, due_in: int, supply_in: int | None, elsewhere: bool) -> Decimal:
    """Return how likely a short line misses its date.

    Args:
        due_in: days until the date promised, or asked for; negative once it has passed.
        supply_in: days until supply is expected; None when none is.
        elsewhere: whether free stock of it lies at another node.
    """
    if due_in < 0:
        return CERTAIN
    if supply_in is None:
        late = NO_SUPPLY
    elif supply_in > due_in:
        late = LATE_SUPPLY
    else:
        late = next(p for slack, p in SLACK if due_in - supply_in >= slack)
    return min(late, STOCK_ELSEWHERE) if elsewhere else late


def days_late(*, due_in: int, supply_in: int | None, unknown: int) -> int:
    """Return how many days late supply will be; `unknown` days from now when none is expected."""
    return max(0, (unknown if supply_in is None else supply_in) - due_in)


def hold_probability(due_in: int) -> Decimal:
    """Return how likely an order that is held now misses the date it was asked for."""
    return next((p for days, p in HELD if due_in >= days), HELD_PAST_DATE)


def penalty(*, rate: Decimal, amount: Decimal, days: int) -> Decimal:
    """Return what the contract charges for `amount` being `days` late, at most the amount itself.

    `rate` is the share of the late amount due per day. Half up to the cent.
    """
    owed = min(amount, rate * amount * max(0, days))
    return owed.quantize(CENT, rounding=ROUND_HALF_UP)


def expiry_probability(days_left: int) -> Decimal:
    """Return which share of a lot is lost that is good for so many days; expired, all of it."""
    return next((share for least, share in EXPIRY if days_left >= least), CERTAIN)
