"""Who waits and who sells, as the apps above keep it: they register how to read their rows.

Filled while the apps load, read-only afterwards (ADR 0022).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from erp.kernel.prepared import Prepared


@dataclass(frozen=True, slots=True)
class DemandSource:
    """How to read one kind of demand (`orders.line`).

    `waiting` selects from a relation `asked (entity_id, product_id)` what nobody has reserved:
    `entity_id, product_id, node_id, demand_id, quantity, needs_on, priority, wanted_on`, where
    `needs_on` is the day it must leave. `about` selects for `%(ids)s` what people want to know:
    `id, label, detail, party, value, currency, wanted_on, needs_on, promised_on`; `value` is money
    still open. `page` is the url name of its document's page; it takes the label.
    `weighing` selects for `%(ids)s` what a delay costs: `id, label, thread, price` (of a base unit,
    net), `currency, penalty_rate, tier, needs_on, transit_days, carrier_week, customer_week`. What
    says none is not looked for elsewhere.
    """

    kind: str
    waiting: str
    about: str
    page: str = ""
    weighing: str = ""


_demand: dict[str, DemandSource] = {}
_offers: list[str] = []
_every_offer: list[str] = []


Pair = tuple[str, str]
Markups = Callable[[Collection[Pair], datetime], Mapping[Pair, Decimal]]
Rate = Callable[[str, str, date], Decimal | None]
_markups: list[Markups] = []
_rates: list[Rate] = []


def register_demand(source: DemandSource) -> None:
    """Tell how to read one kind of demand. Telling it again replaces it."""
    _demand[source.kind] = source


def register_offers(statement: str, every: str) -> None:
    """Tell how to read who would sell: one row per key of `asked (entity_id, product_id)`.

    `entity_id, product_id, supplier_id, supplier, lead_time_days, moq, multiple, unit_price,
    currency, calendar_id, drop_ships`. `every` selects all offers so, not the preferred ones alone.
    """
    _offers[:], _every_offer[:] = [statement], [every]


def register_markups(markups: Markups) -> None:
    """Tell how to learn what companies of the house put on their cost: by (seller, buyer), codes.

    A markup is a share: 0.05 is cost and five per cent.
    """
    _markups[:] = [markups]


def register_rates(rate: Rate) -> None:
    """Tell how to learn how much of a second currency is given for one of a first on a day."""
    _rates[:] = [rate]


def markups_of(pairs: Collection[Pair], now: datetime) -> Mapping[Pair, Decimal]:
    """Return what companies put on their cost; nothing where nobody told."""
    return _markups[0](pairs, now) if _markups and pairs else {}


def rate_of(base: str, quote: str, on: date) -> Decimal | None:
    """Return how much `quote` is given for one `base`; None where nobody knows."""
    if base == quote:
        return Decimal(1)
    return _rates[0](base, quote, on) if _rates else None


def demand_source(kind: str) -> DemandSource | None:
    """Return how to read a kind of demand; None where nobody told."""
    return _demand.get(kind)


NOBODY = """
    SELECT NULL::text AS kind, NULL::bigint AS entity_id, NULL::bigint AS product_id,
        NULL::bigint AS node_id, NULL::bigint AS demand_id, NULL::numeric AS quantity,
        NULL::date AS needs_on, NULL::int AS priority, NULL::date AS wanted_on
    WHERE false
"""
ASKED = """
    asked AS (
        SELECT DISTINCT entity_id, product_id
        FROM unnest(%(entities)s::bigint[], %(products)s::bigint[]) AS k (entity_id, product_id)
    )
"""


def waiting_sql() -> str:
    """Return a relation of all that waits for what is `asked`, with its `kind`."""
    parts = [
        f"SELECT '{kind}'::text AS kind, w.* FROM ({source.waiting}) AS w"  # noqa: S608  our own
        for kind, source in sorted(_demand.items())
    ]
    return " UNION ALL ".join(parts) or NOBODY


def offers_sql() -> Prepared | None:
    """Return the statement that reads who would sell what is asked; None where nobody told."""
    return Prepared(f"WITH {ASKED} {_offers[0]}") if _offers else None


def every_offer_sql() -> Prepared | None:
    """Return the statement that reads all offers of what is asked; None where nobody told."""
    return Prepared(f"WITH {ASKED} {_every_offer[0]}") if _every_offer else None
