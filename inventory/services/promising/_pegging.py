"""Pegs what waits to what is on its way, in rank."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction

from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows, run
from inventory.rules import as_steps, from_steps
from inventory.rules.promising import Claim, Pegged, Waits, Window, pegs, window
from inventory.selectors import Coming, NodeHours, node_hours, situations
from inventory.selectors._sources import ASKED, waiting_sql
from inventory.services.promising._reading import shares_of
from inventory.services.promising._terms import promise_terms

# Whoever pegs a product holds its supplies: two runs take turns.
LOCK = Prepared("""
    SELECT i.id FROM inventory_inbound i
    WHERE i.entity_id = %(entity)s AND i.product_id = ANY(%(products)s::bigint[])
    ORDER BY i.id FOR NO KEY UPDATE
""")
WAITING = """
    WITH {asked}, waiting AS ({waiting})
    SELECT product_id, kind, demand_id, node_id, quantity, priority, wanted_on,
        (SELECT EXISTS (SELECT FROM inventory_protection))
    FROM waiting
"""
PEG = Prepared("""
    WITH wanted AS (
        SELECT * FROM unnest(%(inbounds)s::bigint[], %(kinds)s::text[], %(demands)s::bigint[],
            %(quantities)s::numeric[]) AS w (inbound_id, demand_kind, demand_id, quantity)
    ), gone AS (
        DELETE FROM inventory_peg p USING inventory_inbound i
        WHERE i.id = p.inbound_id AND i.entity_id = %(entity)s
            AND i.product_id = ANY(%(products)s::bigint[])
            AND NOT EXISTS (
                SELECT FROM wanted w WHERE w.inbound_id = p.inbound_id
                    AND w.demand_kind = p.demand_kind AND w.demand_id = p.demand_id
            )
    )
    INSERT INTO inventory_peg AS kept (inbound_id, demand_kind, demand_id, quantity, pegged_at)
    SELECT inbound_id, demand_kind, demand_id, quantity, %(now)s::timestamptz FROM wanted
    ORDER BY inbound_id, demand_id
    ON CONFLICT (demand_id, demand_kind, inbound_id) DO UPDATE
        SET quantity = excluded.quantity, pegged_at = excluded.pegged_at
        WHERE kept.quantity <> excluded.quantity
""")


@dataclass(frozen=True, slots=True)
class Backing:
    """So much of one supply behind a demand; it can leave `node` from `p50` or by `p90` on.

    `kind` is "stock" or "inbound"; `label` is what people call the supply.
    """

    kind: str
    label: str
    node_id: int
    quantity: Decimal
    p50: date
    p90: date
    is_overdue: bool


@dataclass(slots=True)
class Waiting:
    """One demand that waits, what backs it, and how much nothing backs."""

    product_id: int
    kind: str
    demand_id: int
    node_id: int | None
    quantity: Decimal
    missing: Decimal
    backings: list[Backing] = field(default_factory=list)


class Bound(NamedTuple):
    """What binds one demand: the nodes it may leave from (None: any); its segment (0: none)."""

    nodes: frozenset[int] | None = None
    segment: int = 0


FREE = Bound()


@transaction.atomic(savepoint=False)  # a step of its caller: it refuses nothing
def peg_waiting(
    *,
    entity_id: int,
    product_ids: Collection[int],
    now: datetime,
    bounds: Mapping[tuple[str, int], Bound] | None = None,
) -> list[Waiting]:
    """Peg what waits for these products of an entity to what is on its way; return all that waits.

    In rank: what is free on the shelf first (it needs no peg), then what comes first, of what is
    not kept for others today. `bounds` is by kind and id of demand. Locks what is on its way, in id
    order; the caller has locked its documents. Six statements, however many, two more where
    anything is kept. Repeating it changes nothing.
    """
    products = sorted(set(product_ids))
    asked = {"entity": entity_id, "products": products, "entities": [entity_id] * len(products)}
    rows(LOCK, asked)
    hours = node_hours(ids=None, on=now.date())
    terms = promise_terms(entity_id=entity_id, now=now).terms
    found = situations(
        keys=[(entity_id, product) for product in products], now=now, terms=terms, hours=hours
    )
    demand: dict[int, list[Waits]] = {product: [] for product in products}
    statement = Prepared(WAITING.format(asked=ASKED, waiting=waiting_sql()))
    is_kept = False
    for product, kind, demand_id, node_id, quantity, priority, wanted_on, is_kept in rows(  # noqa: B007
        statement, asked
    ):
        rank = (priority, wanted_on.toordinal(), demand_id)
        nodes, segment = (bounds or {}).get((kind, demand_id), FREE)
        waits = Waits(demand_id, kind, node_id, as_steps(quantity), rank, nodes, segment)
        demand[product].append(waits)
    shares = shares_of([(entity_id, each) for each in products], now) if is_kept else {}
    answer: list[Waiting] = []
    written: list[Pegged] = []
    for product in products:
        supplies = _Supplies(found[entity_id, product].stock, hours, now)
        for coming in found[entity_id, product].coming:
            supplies.add(coming)
        given = pegs(demand[product], supplies.claims, shares.get((entity_id, product)))
        written += [each for each in given if each.supply > 0]
        answer += supplies.answer(product, demand[product], given)
    _write(asked, written, now)
    return answer


class _Supplies:
    """What one product's demand can be pegged to; shelves have negative ids."""

    def __init__(
        self, stock: Mapping[int, int], hours: Mapping[int, NodeHours], now: datetime
    ) -> None:
        self.hours, self.now = hours, now
        self.claims: list[Claim] = []
        self.windows: dict[int, Window] = {}
        self.labels: dict[int, str] = {}
        for node_id, steps in stock.items():
            today = hours[node_id].today(now)
            self._add(-node_id, node_id, steps, Window(today, today, is_overdue=False), "")

    def add(self, coming: Coming) -> None:
        today = self.hours[coming.node_id].today(self.now)
        expected = window(coming.told, coming.pace, today=today)
        self._add(coming.id, coming.node_id, coming.steps, expected, coming.label)

    def _add(self, at: int, node_id: int, steps: int, expected: Window, label: str) -> None:
        self.claims.append(Claim(at, node_id, steps, expected.p50))
        self.windows[at], self.labels[at] = expected, label

    def answer(
        self, product: int, wants: Collection[Waits], given: Collection[Pegged]
    ) -> list[Waiting]:
        nodes = {claim.id: claim.node for claim in self.claims}
        waiting = {
            (want.kind, want.id): Waiting(
                product, want.kind, want.id, want.node,
                from_steps(want.steps), from_steps(want.steps),
            )
            for want in wants
        }  # fmt: skip
        for each in given:
            into, expected = waiting[each.kind, each.demand], self.windows[each.supply]
            quantity, node_id = from_steps(each.steps), nodes[each.supply]
            into.missing -= quantity
            is_shelf = each.supply < 0
            into.backings.append(
                Backing(
                    kind="stock" if is_shelf else "inbound",
                    label=self.hours[node_id].code if is_shelf else self.labels[each.supply],
                    node_id=node_id,
                    quantity=quantity,
                    p50=self._leaves(node_id, expected.p50, is_shelf=is_shelf),
                    p90=self._leaves(node_id, expected.p90, is_shelf=is_shelf),
                    is_overdue=expected.is_overdue,
                )
            )
        return list(waiting.values())

    def _leaves(self, node_id: int, day: date, *, is_shelf: bool) -> date:
        node = self.hours[node_id]
        return node.leaves(self.now) if is_shelf else node.passes_on(day)


def _write(asked: Mapping[str, object], written: Collection[Pegged], now: datetime) -> None:
    run(
        PEG,
        {
            "entity": asked["entity"],
            "products": asked["products"],
            "now": now,
            "inbounds": [each.supply for each in written],
            "kinds": [each.kind for each in written],
            "demands": [each.demand for each in written],
            "quantities": [from_steps(each.steps) for each in written],
        },
    )
