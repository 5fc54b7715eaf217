"""How the margin of lines stands to its floor, while somebody is still typing them."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from erp.governance.services import Question, decide
from erp.kernel.sql import rows
from orders.rules import Landed, margin, margin_light
from orders.services._pricing import PricedLine

FLOOR = "orders.margin.floor"
COSTS = """
    SELECT p.id, p.category, c.value / c.quantity
    FROM inventory_product p
    JOIN accounts_entity e ON e.id = %(entity)s AND e.currency = %(currency)s
    LEFT JOIN inventory_productcost c
        ON c.product_id = p.id AND c.entity_id = e.id AND c.quantity > 0
    WHERE p.id = ANY(%(products)s)
"""


def lights_of(
    lines: Sequence[PricedLine | None],
    *,
    entity_id: int,
    currency: str,
    tier: str,
    now: datetime,
) -> list[str]:
    """Return green, amber or red for each line; empty where there is no line. One query.

    On the moving average of the goods: carriage is known once the order is planned, and is asked
    then. A margin that nobody knows is amber. The cost itself does not leave this module.
    """
    known = [line for line in lines if line is not None]
    asked = {
        "entity": entity_id,
        "currency": currency,
        "products": sorted({line.product_id for line in known}),
    }
    costs = {pk: (category, cost) for pk, category, cost in rows(COSTS, asked)} if known else {}
    questions = [
        Question(
            entity_id,
            "orders.customer",
            0,
            {"tier": tier, "category": costs.get(line.product_id, ("", None))[0] or None},
        )
        for line in known
    ]
    floors = iter(decide(policy=FLOOR, questions=questions, now=now, keep=False) if known else [])
    lights = []
    for line in lines:
        if line is None:
            lights.append("")
            continue
        said = next(floors).outcome
        cost = costs.get(line.product_id, ("", None))[1]
        found = None if cost is None else margin(line.amount, Landed(goods=line.quantity * cost))
        floor, band = Decimal(said["floor"]), Decimal(said["band"])
        lights.append(str(margin_light(found, floor, band)))
    return lights
