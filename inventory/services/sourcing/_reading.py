"""What weighing ways from elsewhere reads: lines, companies, lanes, offers, costs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from erp.governance.services import Question, decide
from erp.kernel.calendars import BusinessCalendar
from erp.kernel.prepared import Prepared
from erp.kernel.sql import records
from inventory.selectors import NodeHours, Situation, Terms, calendars, node_hours, situations
from inventory.selectors._sources import demand_source, markups_of, rate_of
from inventory.services._lacking import Lacks
from inventory.services.promising import Wish
from inventory.services.promising._reading import World, read_world

WEIGHTS = "inventory.sourcing_weights"
PLACES = Prepared("""
    SELECT n.id, n.code, n.entity_id, e.code AS company, e.currency
    FROM inventory_node n JOIN accounts_entity e ON e.id = n.entity_id
    WHERE n.is_active AND e.is_active
    ORDER BY n.id
""")
COSTS = Prepared("""
    SELECT p.id AS product_id, p.code, c.entity_id, c.value / nullif(c.quantity, 0) AS cost
    FROM inventory_product p LEFT JOIN inventory_productcost c ON c.product_id = p.id
    WHERE p.id = ANY(%(products)s::bigint[])
""")


@dataclass(frozen=True, slots=True)
class Line:
    """What one short line is worth, and when it must leave; `price` is of a base unit.

    `late_rate` is the share of its price that each day's delay costs, the penalty included.
    """

    id: int
    label: str
    thread: str
    price: Decimal
    late_rate: Decimal
    tier: str
    needs_on: date
    transit_days: int
    carrier_week: int | None
    customer_week: int | None


@dataclass(frozen=True, slots=True)
class Outside:
    """All that is outside of the shelf, read once for every short line."""

    world: World
    lines: Mapping[int, Line]
    places: Mapping[int, Mapping[str, Any]]  # open nodes by id, in order
    lanes: Sequence[Mapping[str, Any]]  # to nodes of the companies that are short
    sisters: Mapping[tuple[int, int], Situation]  # (company, product)
    markups: Mapping[tuple[int, int], Decimal]  # (seller, buyer) of those that may sell
    rates: Mapping[tuple[str, str], Decimal | None]
    costs: Mapping[tuple[int, int], Decimal]  # a base unit's, by (company, product)
    codes: Mapping[int, str]  # of products
    wait_days: Mapping[int, int]  # by company
    weeks: Mapping[int, BusinessCalendar]  # of carriers and customers

    def home(self, entity_id: int) -> int | None:
        """Return the first open node of a company; None where it has none."""
        return next((pk for pk, at in self.places.items() if at["entity_id"] == entity_id), None)


def read_outside(kind: str, lacks: Lacks, now: datetime) -> Outside | None:
    """Read what there is elsewhere for what lines lack; a score of statements, however many.

    None where nobody says what a delay of this kind of demand costs.
    """
    source = demand_source(kind)
    if source is None or not source.weighing:
        return None
    wants = lacks.wants
    ids, owners, products = (c.tolist() for c in (wants.id, wants.owner, wants.product))
    facts = records(Prepared(source.weighing), {"ids": ids})
    places = {row["id"]: row for row in records(PLACES)}
    buyers = sorted(set(owners))
    own = [pk for pk, at in places.items() if at["entity_id"] in set(buyers)]
    hours = node_hours(ids=None, on=now.date())
    keys = sorted(set(zip(owners, products, strict=True)))
    wishes = [Wish(entity, product, Decimal(1)) for entity, product in keys]
    world = read_world(wishes, now, (kind, ids), hours, targets=own, every_offer=True)
    lanes = [lane for target in own for lane in world.lanes.get(target, ())]
    companies = {at["entity_id"]: at for at in places.values()}
    pairs = _pairs(lanes, places, companies, now)
    sold = {(seller, product) for seller, buyer in pairs for by, product in keys if by == buyer}
    owner_of = dict(zip(ids, owners, strict=True))
    books = {entity: at["currency"] for entity, at in companies.items()}
    books |= {entity: row["currency"] for (entity, _product), row in world.goods.items()}
    rates = _rates(
        {
            *((row["currency"], books[owner_of[row["id"]]]) for row in facts),
            *((books[seller], books[buyer]) for seller, buyer in pairs),
            *((lane["currency"], places[lane["destination_id"]]["currency"]) for lane in lanes),
        },
        now,
    )
    found = records(COSTS, {"products": sorted(set(products))})
    return Outside(
        world=world,
        lines=_lines(facts, owner_of, books, rates, now),
        places=places,
        lanes=lanes,
        sisters=_sisters(sold, now, world.terms[buyers[0]], hours),
        markups=_markups(pairs, companies, now),
        rates=rates,
        costs={(row["entity_id"], row["product_id"]): row["cost"] for row in found if row["cost"]},
        codes={row["product_id"]: row["code"] for row in found},
        wait_days=_wait_days(buyers, now),
        weeks=calendars(
            ids=[row[name] for row in facts for name in ("carrier_week", "customer_week")],
            on=now.date(),
        ),
    )


def _rates(
    spoken: Collection[tuple[str, str]], now: datetime
) -> dict[tuple[str, str], Decimal | None]:
    return {pair: rate_of(*pair, now.date()) for pair in sorted(spoken)}


def _sisters(
    sold: Collection[tuple[int, int]],
    now: datetime,
    terms: Terms,
    hours: dict[int, NodeHours],
) -> dict[tuple[int, int], Situation]:
    return situations(keys=sold, now=now, terms=terms, hours=hours) if sold else {}


def _pairs(
    lanes: Sequence[Mapping[str, Any]],
    places: Mapping[int, Mapping[str, Any]],
    companies: Mapping[int, Mapping[str, Any]],
    now: datetime,
) -> list[tuple[int, int]]:
    """Return (seller, buyer) of companies that a lane joins and whom the policy lets sell."""
    joined = sorted(
        {
            (places[lane["origin_id"]]["entity_id"], places[lane["destination_id"]]["entity_id"])
            for lane in lanes
            if lane["origin_id"] in places
        }
    )
    joined = [(seller, buyer) for seller, buyer in joined if seller != buyer]
    questions = [
        Question(
            buyer,
            "accounts.entity",
            buyer,
            {
                "tier": "",
                "seller": companies[seller]["company"],
                "buyer": companies[buyer]["company"],
            },
        )
        for seller, buyer in joined
    ]
    said = decide(policy=WEIGHTS, questions=questions, now=now, keep=False)
    return [
        pair
        for pair, decision in zip(joined, said, strict=True)
        if bool(decision.outcome["may_sell"])
    ]


def _lines(
    facts: Sequence[Mapping[str, Any]],
    owners: Mapping[int, int],
    books: Mapping[int, str],
    rates: Mapping[tuple[str, str], Decimal | None],
    now: datetime,
) -> dict[int, Line]:
    asked = list(dict.fromkeys((owners[row["id"]], row["tier"]) for row in facts))
    said = decide(
        policy=WEIGHTS,
        questions=[
            Question(entity, "accounts.entity", entity, {"tier": tier, "seller": "", "buyer": ""})
            for entity, tier in asked
        ],
        now=now,
        keep=False,
    )
    late = {
        key: Decimal(str(one.outcome["late_rate"])) for key, one in zip(asked, said, strict=True)
    }
    return {
        row["id"]: Line(
            id=row["id"],
            label=row["label"],
            thread=row["thread"],
            price=row["price"] * (rates[row["currency"], books[owners[row["id"]]]] or 1),
            late_rate=row["penalty_rate"] + late[owners[row["id"]], row["tier"]],
            tier=row["tier"],
            needs_on=row["needs_on"],
            transit_days=row["transit_days"],
            carrier_week=row["carrier_week"],
            customer_week=row["customer_week"],
        )
        for row in facts
    }


def _wait_days(buyers: Sequence[int], now: datetime) -> dict[int, int]:
    facts = {"tier": "", "seller": "", "buyer": ""}
    questions = [Question(entity, "accounts.entity", entity, facts) for entity in buyers]
    said = decide(policy=WEIGHTS, questions=questions, now=now, keep=False)
    return {entity: int(one.outcome["wait_days"]) for entity, one in zip(buyers, said, strict=True)}


def _markups(
    pairs: Sequence[tuple[int, int]], companies: Mapping[int, Mapping[str, Any]], now: datetime
) -> dict[tuple[int, int], Decimal]:
    named = {
        (seller, buyer): (companies[seller]["company"], companies[buyer]["company"])
        for seller, buyer in pairs
    }
    found = markups_of(sorted(named.values()), now)
    return {pair: found[codes] for pair, codes in named.items() if codes in found}
