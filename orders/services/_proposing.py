"""Writes down what customers are to be asked about: another product in place of theirs."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from erp.kernel.events import Event
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from inventory.services.substituting import Offer
from orders.events import SubstitutionProposed
from orders.rules import exchange_price
from orders.services._demanding import Head, Want
from orders.services._exchanging import own_prices
from orders.services._pairing import Pairs

# Nobody is asked twice: not while the question stands, and not after a no.
PROPOSE = Prepared("""
    INSERT INTO orders_substitution (
        entity_id, line_id, pair_id, product_id, other_id, quantity, other_quantity, unit_price,
        discount, price_rule, policy_version, state, proposed_at, answer
    )
    SELECT n.entity_id, n.line_id, n.pair_id, n.product_id, n.other_id, n.quantity, n.other,
           n.unit_price, n.discount, n.rule, %(policy)s, 'proposed', %(now)s, ''
    FROM unnest(
        %(entities)s::bigint[], %(lines)s::bigint[], %(pairs)s::bigint[], %(products)s::bigint[],
        %(others)s::bigint[], %(quantities)s::numeric[], %(other_quantities)s::numeric[],
        %(prices)s::numeric[], %(discounts)s::numeric[], %(rules)s::text[]
    ) AS n (entity_id, line_id, pair_id, product_id, other_id, quantity, other, unit_price,
            discount, rule)
    WHERE NOT EXISTS (
        SELECT FROM orders_substitution s
        WHERE s.line_id = n.line_id AND s.other_id = n.other_id AND s.state = 'declined'
    )
    ON CONFLICT (line_id, other_id) WHERE state = 'proposed' DO NOTHING
    RETURNING id, line_id
""")
PRICES = "SELECT id, unit_price, discount FROM orders_orderline WHERE id = ANY(%(ids)s::bigint[])"


def propose(
    offers: Sequence[Offer],
    wants: Mapping[int, Want],
    heads: Mapping[int, Head],
    pairs: Pairs,
    now: datetime,
) -> list[Event]:
    """Write down what may be asked of whom, at which price; return what is to be told.

    A question that stands, or was answered with no, is not asked again. Three queries.
    """
    if not offers:
        return []
    lines = {
        pk: (price, discount)
        for pk, price, discount in rows(PRICES, {"ids": [each.demand_id for each in offers]})
    }
    orders = [heads[wants[each.demand_id].order_id] for each in offers]
    of = [pairs.by_key[wants[each.demand_id].product_id, each.product_id] for each in offers]
    asked = [
        (head, each.product_id, each.other_quantity)
        for head, each in zip(orders, offers, strict=True)
    ]
    prices = [
        exchange_price(pair.price_rule, lines[each.demand_id], own, (pair.units, pair.per))
        for each, pair, own in zip(offers, of, own_prices(asked, now), strict=True)
    ]
    params = {
        "policy": pairs.policy_version,
        "now": now,
        "entities": [head.entity_id for head in orders],
        "lines": [each.demand_id for each in offers],
        "pairs": [pair.id for pair in of],
        "products": [pair.product_id for pair in of],
        "others": [pair.other_id for pair in of],
        "quantities": [each.quantity for each in offers],
        "other_quantities": [each.other_quantity for each in offers],
        "prices": [price for price, _ in prices],
        "discounts": [discount for _, discount in prices],
        "rules": [pair.price_rule for pair in of],
    }
    made = rows(PROPOSE, params)
    return [
        SubstitutionProposed(
            substitution_id=pk,
            line_id=line,
            order_id=heads[wants[line].order_id].id,
            number=heads[wants[line].order_id].number,
            entity_id=heads[wants[line].order_id].entity_id,
        )
        for pk, line in made
    ]
