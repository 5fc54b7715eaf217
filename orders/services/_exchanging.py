"""Has other products go out for lines, unasked: a line of its own for each, in place of a part."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from erp.governance.services import Change, record
from erp.kernel.events import Event
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows, run
from inventory.rules import Rule
from inventory.selectors import SubstitutePair
from inventory.services import Demand, Piece
from inventory.services.substituting import Exchange, keep_exchanges
from orders.events import LineSubstituted
from orders.rules import exchange_price, line_amount, part_of
from orders.services._demanding import LINE, Head, Want
from orders.services._pairing import Pairs
from orders.services._pricing import LineAsk, price_lines

# Whoever holds an account waits for no order, so that one which is held is passed over.
TRY_ACCOUNTS = Prepared("""
    SELECT id FROM orders_creditaccount WHERE id = ANY(%(ids)s::bigint[])
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
""")
ORIGINALS = Prepared("""
    SELECT id, position, product_id, quantity, cancelled, shipped, amount, unit_price, discount,
           node_id, disposition, fresh_days
    FROM orders_orderline WHERE id = ANY(%(ids)s::bigint[])
""")
MAKE = Prepared("""
    INSERT INTO orders_orderline (
        order_id, position, product_id, uom, uom_quantity, quantity, unit_price, price_source,
        discount, amount, node_id, price_basis, reserved, shipped, invoiced, cancelled,
        disposition, fresh_days, instead_of_id, replaces
    )
    SELECT l.order_id, top.position + row_number() OVER (PARTITION BY l.order_id ORDER BY n.place),
           n.product_id, n.uom, n.quantity, n.quantity, n.unit_price, n.price_source, n.discount,
           n.amount, l.node_id, n.basis, 0, 0, 0, 0, l.disposition, l.fresh_days, l.id, n.replaces
    FROM unnest(
        %(lines)s::bigint[], %(products)s::bigint[], %(uoms)s::text[], %(quantities)s::numeric[],
        %(prices)s::numeric[], %(sources)s::text[], %(discounts)s::numeric[],
        %(amounts)s::numeric[], %(bases)s::jsonb[], %(replaces)s::numeric[]
    ) WITH ORDINALITY AS n (
        line_id, product_id, uom, quantity, unit_price, price_source, discount, amount, basis,
        replaces, place
    )
    JOIN orders_orderline l ON l.id = n.line_id
    CROSS JOIN LATERAL (
        SELECT max(position) AS position FROM orders_orderline x WHERE x.order_id = l.order_id
    ) AS top
    ORDER BY n.place
    RETURNING id, instead_of_id, product_id, position
""")
LESS = """
    UPDATE orders_orderline l SET cancelled = l.cancelled + c.quantity
    FROM unnest(%(ids)s::bigint[], %(quantities)s::numeric[]) AS c (id, quantity)
    WHERE l.id = c.id
"""
SUMS = """
    UPDATE orders_order o
    SET subtotal = sums.amount, total = round(sums.amount + o.freight, 2),
        revision = o.revision + 1
    FROM (SELECT order_id, sum(amount) AS amount FROM orders_orderline
          WHERE order_id = ANY(%(ids)s) GROUP BY order_id) AS sums
    WHERE o.id = sums.order_id
"""
COMMIT = """
    UPDATE orders_creditaccount a SET committed = a.committed + c.amount
    FROM unnest(%(ids)s::bigint[], %(amounts)s::numeric[]) AS c (id, amount)
    WHERE a.id = c.id
"""
KEEP = """
    INSERT INTO orders_substitution (
        entity_id, line_id, pair_id, product_id, other_id, quantity, other_quantity, unit_price,
        discount, price_rule, policy_version, state, proposed_at, answer, new_line_id
    )
    SELECT n.entity_id, n.line_id, n.pair_id, n.product_id, n.other_id, n.quantity, n.other,
           n.unit_price, n.discount, n.rule, %(policy)s, 'served', %(now)s, '', n.new_line_id
    FROM unnest(
        %(entities)s::bigint[], %(lines)s::bigint[], %(pairs)s::bigint[], %(products)s::bigint[],
        %(others)s::bigint[], %(quantities)s::numeric[], %(other_quantities)s::numeric[],
        %(prices)s::numeric[], %(discounts)s::numeric[], %(rules)s::text[], %(new_lines)s::bigint[]
    ) AS n (entity_id, line_id, pair_id, product_id, other_id, quantity, other, unit_price,
            discount, rule, new_line_id)
"""


class _Original(NamedTuple):
    """A line as it stands before a part of it is replaced."""

    id: int
    position: int
    product_id: int
    quantity: Decimal
    cancelled: Decimal
    shipped: Decimal
    amount: Decimal
    unit_price: Decimal
    discount: Decimal
    node_id: int | None
    disposition: str
    fresh_days: int | None

    def worth(self, quantity: Decimal) -> Decimal:
        """Return what so much less of it takes off what the order commits."""
        done = self.shipped + self.cancelled
        after = part_of(self.amount, done + quantity, self.quantity)
        return after - part_of(self.amount, done, self.quantity)


@dataclass(frozen=True, slots=True)
class _Swap:
    """One product that goes out for one line: how much for how much, at which price."""

    head: Head
    line: _Original
    pair: SubstitutePair
    quantity: Decimal
    other_quantity: Decimal
    unit_price: Decimal
    discount: Decimal

    @property
    def amount(self) -> Decimal:
        return line_amount(self.other_quantity, self.unit_price, self.discount)


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What went out for lines: `replaced` by line, and the lines it became (`wants`, `pieces`)."""

    replaced: Mapping[int, Decimal]
    wants: Sequence[Want]
    pieces: Sequence[Piece]
    events: Sequence[Event]


def steady(demands: Sequence[Demand], orders: Mapping[int, Head], pairs: Pairs) -> Sequence[Demand]:
    """Have nothing else go out unasked where the account of the order is just held by others."""
    products = {each.product for each in pairs.substitutions}
    asking = {each.label for each in demands if each.product_id in products}
    if not asking:
        return demands
    accounts = {head.number: head.account_id for head in orders.values() if head.number in asking}
    steady = steady_accounts(list(accounts.values()))
    return [
        each
        if each.label not in asking or accounts[each.label] in steady
        else replace(each, no_substitutes=True, soft=each.soft & ~Rule.NO_SUBSTITUTES)
        for each in demands
    ]


def steady_accounts(account_ids: Sequence[int]) -> set[int]:
    """Lock those of the accounts that nobody else holds, and return them.

    Orders are locked by now, so that waiting for an account could be waiting for each other.
    """
    return {row[0] for row in rows(TRY_ACCOUNTS, {"ids": sorted(set(account_ids))})}


def exchange(
    found: Sequence[Exchange],
    wants: Mapping[int, Want],
    heads: Mapping[int, Head],
    pairs: Pairs,
    now: datetime,
) -> Exchanged:
    """Make a line of each product that goes out for another, and cancel what it replaces there.

    Accounts, orders and stock rows are locked. The customer never pays more than before: amounts,
    the order's sums and what it commits of its credit follow in the same commit.
    """
    if not found:
        return Exchanged({}, [], [], [])
    swaps = _swaps(found, wants, heads, pairs, now)
    params = {
        "lines": [swap.line.id for swap in swaps],
        "products": [swap.pair.other_id for swap in swaps],
        "uoms": [swap.pair.uom for swap in swaps],
        "quantities": [swap.other_quantity for swap in swaps],
        "prices": [swap.unit_price for swap in swaps],
        "sources": [f"instead of {swap.pair.product}" for swap in swaps],
        "discounts": [swap.discount for swap in swaps],
        "amounts": [swap.amount for swap in swaps],
        "bases": [json.dumps(_basis(swap)) for swap in swaps],
        "replaces": [swap.quantity for swap in swaps],
    }
    made = {(line, product): (pk, at) for pk, line, product, at in rows(MAKE, params)}
    new = [made[swap.line.id, swap.pair.other_id] for swap in swaps]
    replaced: dict[int, Decimal] = {}
    for swap in swaps:
        replaced[swap.line.id] = replaced.get(swap.line.id, Decimal(0)) + swap.quantity
    run(LESS, {"ids": list(replaced), "quantities": list(replaced.values())})
    _follow_money(swaps)
    by_key = {(s.line.id, s.pair.other_id): pk for s, (pk, _) in zip(swaps, new, strict=True)}
    pieces = [
        Piece(by_key[e.demand_id, e.product_id], e.stock_id, e.node_id, e.other_quantity)
        for e in found
    ]
    kept = [(piece.demand_id, piece.stock_id, piece.quantity) for piece in pieces]
    keep_exchanges(kind=LINE, pieces=kept, now=now)
    _note(swaps, new, pairs, now)
    events = [
        LineSubstituted(
            line_id=swap.line.id,
            order_id=swap.head.id,
            number=swap.head.number,
            entity_id=swap.head.entity_id,
            new_line_id=pk,
            quantity=f"{swap.quantity:f}",
        )
        for swap, (pk, _) in zip(swaps, new, strict=True)
    ]
    return Exchanged(replaced, _wants(swaps, new, wants), pieces, events)


class Buyer(NamedTuple):
    """For whom something is priced."""

    entity_id: int
    customer_id: int
    currency: str


def own_prices(
    asked: Sequence[tuple[Head | Buyer, int, Decimal]], now: datetime
) -> list[tuple[Decimal, Decimal] | None]:
    """Return (unit price, discount) of so much of a product for an order; None has no price."""
    asks = [
        LineAsk(
            entity_id=head.entity_id,
            customer_id=head.customer_id,
            currency=head.currency,
            day=now.date(),
            product_id=product_id,
            quantity=quantity,
            uom="",
            unit_price=None,
            discount=Decimal(0),
            node_id=None,
        )
        for head, product_id, quantity in asked
    ]
    found = price_lines(asks, [""] * len(asks), now) if asks else []
    return [
        (each[0].unit_price, each[0].discount) if isinstance(each, list) else None for each in found
    ]


def _swaps(
    found: Sequence[Exchange],
    wants: Mapping[int, Want],
    heads: Mapping[int, Head],
    pairs: Pairs,
    now: datetime,
) -> list[_Swap]:
    """Return what goes out for what, a line and a product once, priced."""
    sums: dict[tuple[int, int], list[Decimal]] = {}
    for each in found:
        both = sums.setdefault((each.demand_id, each.product_id), [Decimal(0), Decimal(0)])
        both[0] += each.quantity
        both[1] += each.other_quantity
    ids = {"ids": sorted({line for line, _ in sums})}
    lines = {row[0]: _Original(*row) for row in rows(ORIGINALS, ids)}
    of = {key: pairs.by_key[lines[key[0]].product_id, key[1]] for key in sums}
    orders = {line: heads[wants[line].order_id] for line, _ in sums}
    lower = [key for key in sums if of[key].price_rule != "original"]
    asked = [(orders[key[0]], key[1], sums[key][1]) for key in lower]
    own = dict(zip(lower, own_prices(asked, now), strict=True))
    swaps = []
    for key, (quantity, other) in sums.items():
        line, pair = lines[key[0]], of[key]
        # Unasked, nobody pays more than what was agreed.
        rule = "lower" if pair.price_rule == "substitute" else pair.price_rule
        price = exchange_price(
            rule, (line.unit_price, line.discount), own.get(key), (pair.units, pair.per)
        )
        swaps.append(_Swap(orders[key[0]], line, pair, quantity, other, *price))
    return swaps


def _basis(swap: _Swap) -> dict[str, Any]:
    return {
        "kind": "substitute",
        "line": swap.line.id,
        "pair": swap.pair.id,
        "rule": swap.pair.price_rule,
        "units": swap.pair.units,
        "per": swap.pair.per,
    }


def _follow_money(swaps: Sequence[_Swap]) -> None:
    """Have the orders' sums, and what they commit of their credit, follow their lines."""
    run(SUMS, {"ids": sorted({swap.head.id for swap in swaps})})
    more: dict[int, Decimal] = {}
    gone: dict[int, Decimal] = {}
    for swap in swaps:
        line = swap.line._replace(cancelled=swap.line.cancelled + gone.get(swap.line.id, 0))
        gone[swap.line.id] = gone.get(swap.line.id, Decimal(0)) + swap.quantity
        change = swap.amount - line.worth(swap.quantity)
        more[swap.head.account_id] = more.get(swap.head.account_id, Decimal(0)) + change
    run(COMMIT, {"ids": list(more), "amounts": list(more.values())})


def _wants(
    swaps: Sequence[_Swap], new: Sequence[tuple[int, int]], wants: Mapping[int, Want]
) -> list[Want]:
    """Return the new lines as lines that wait for what was just chosen for them."""
    return [
        replace(
            wants[swap.line.id],
            id=pk,
            product_id=swap.pair.other_id,
            waiting=swap.other_quantity,
            is_substitute=True,
            promised_on=None,
        )
        for swap, (pk, _) in zip(swaps, new, strict=True)
    ]


def _note(
    swaps: Sequence[_Swap], new: Sequence[tuple[int, int]], pairs: Pairs, now: datetime
) -> None:
    params = {
        "policy": pairs.policy_version,
        "now": now,
        "entities": [swap.head.entity_id for swap in swaps],
        "lines": [swap.line.id for swap in swaps],
        "pairs": [swap.pair.id for swap in swaps],
        "products": [swap.pair.product_id for swap in swaps],
        "others": [swap.pair.other_id for swap in swaps],
        "quantities": [swap.quantity for swap in swaps],
        "other_quantities": [swap.other_quantity for swap in swaps],
        "prices": [swap.unit_price for swap in swaps],
        "discounts": [swap.discount for swap in swaps],
        "rules": [swap.pair.price_rule for swap in swaps],
        "new_lines": [pk for pk, _ in new],
    }
    run(KEEP, params)
    changes = [
        Change(
            entity_id=swap.head.entity_id,
            action="orders.substitute",
            subject_kind="orders.line",
            subject_id=swap.line.id,
            thread=f"orders.order:{swap.head.id}",
            after={
                "line": swap.line.position,
                "replaced": f"{swap.quantity.normalize():f} {swap.pair.product}",
                "by": f"{swap.other_quantity.normalize():f} {swap.pair.other}",
                "new_line": position,
                "unit_price": f"{swap.unit_price:f}",
                "amount": f"{swap.amount:f}",
            },
            reason=swap.pair.reason,
            policy_version=pairs.policy_version,
        )
        for swap, (_, position) in zip(swaps, new, strict=True)
    ]
    record(changes=changes, actor=None, now=now)
