"""What will be there and what of it is free to promise, per owner, product and node."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from inventory.rules import as_steps, from_steps
from inventory.rules.promising import SAMPLES_MIN, Pace, Projection, project, shown_day
from inventory.selectors._calendars import NodeHours, node_hours
from inventory.selectors._sources import ASKED, waiting_sql

Key = tuple[int, int]  # entity, product
NOBODY_ELSE: tuple[str, Collection[int]] = ("", ())

SITUATION = """
    WITH {asked}, waiting AS ({waiting})
    SELECT 'stock', s.entity_id, s.product_id, s.node_id, NULL::date,
        sum(s.on_hand - s.reserved), NULL::int, NULL::int, NULL::text, NULL::bigint
    FROM asked JOIN inventory_stock s USING (entity_id, product_id)
    WHERE s.status = 'available' AND s.on_hand > s.reserved AND NOT s.is_barred
        AND (s.expires_on IS NULL OR s.expires_on >= %(today)s::date)
    GROUP BY s.entity_id, s.product_id, s.node_id
    UNION ALL
    SELECT 'inbound', i.entity_id, i.product_id, i.node_id, i.expected_date, i.quantity,
        CASE WHEN p.samples >= {least} THEN p.p50_days END,
        CASE WHEN p.samples >= {least} THEN p.p90_days END, i.source_label, i.id
    FROM asked JOIN inventory_inbound i USING (entity_id, product_id)
    LEFT JOIN inventory_supplierpace p ON p.supplier_id = i.supplier_id
    UNION ALL
    SELECT 'demand', w.entity_id, w.product_id, w.node_id, w.needs_on, sum(w.quantity),
        NULL, NULL, NULL, NULL
    FROM waiting w
    WHERE w.kind <> %(but_kind)s::text OR w.demand_id <> ALL(%(but)s::bigint[])
    GROUP BY w.entity_id, w.product_id, w.node_id, w.needs_on
"""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a policy says of promising: the horizon, and how late suppliers usually come."""

    horizon_days: int = 180
    usual: Pace = field(default_factory=lambda: Pace(0, 3))


@dataclass(frozen=True, slots=True)
class Coming:
    """So much (thousandths) on its way to a node; `shown_on` is the day a projection counts it."""

    id: int
    node_id: int
    steps: int
    told: date
    shown_on: date
    is_overdue: bool
    pace: Pace
    label: str


@dataclass(slots=True)
class Situation:
    """What one owner has, expects and owes of one product, in thousandths of base units."""

    today: date
    horizon_days: int
    stock: dict[int, int] = field(default_factory=dict)  # by node
    coming: list[Coming] = field(default_factory=list)
    demand: list[tuple[int | None, date, int]] = field(default_factory=list)
    _made: dict[int | None, Projection] = field(default_factory=dict)

    def at(self, node_id: int | None) -> Projection:
        """Return the projection of one node; None: of all, with what no node was named for."""
        if node_id not in self._made:
            self._made[node_id] = project(
                on_hand=sum(self.stock.values()) if node_id is None else self.stock.get(node_id, 0),
                inbound=[
                    (c.shown_on, c.steps, c.is_overdue)
                    for c in self.coming
                    if node_id in (None, c.node_id)
                ],
                demand=[(day, steps) for at, day, steps in self.demand if node_id in (None, at)],
                today=self.today,
                horizon_days=self.horizon_days,
            )
        return self._made[node_id]

    def free_on(self, node_id: int | None, day: date) -> int:
        """Return what may be promised to leave a node on `day`.

        What no node was named for weighs on all of them: a node never offers more than the whole.
        """
        whole = self.at(None).free_on(day)
        return whole if node_id is None else min(whole, self.at(node_id).free_on(day))

    def days(self) -> list[date]:
        """Return the days on which anything changes, today first."""
        return [each.day for each in self.at(None).days]

    def nodes(self) -> list[int]:
        """Return the nodes where something is or comes."""
        return sorted({*self.stock, *(coming.node_id for coming in self.coming)})


def situations(
    *,
    keys: Collection[Key],
    now: datetime,
    terms: Terms,
    hours: dict[int, NodeHours],
    but: tuple[str, Collection[int]] = NOBODY_ELSE,
) -> dict[Key, Situation]:
    """Return what stands behind each (entity id, product id). One query; nodes not open count out.

    Days are those of the node, the owner's of the first node where it has or expects anything. What
    the demands `but` (kind, ids) wait for is left out: they are who asks.
    """
    wanted = sorted(set(keys))
    statement = Prepared(SITUATION.format(asked=ASKED, waiting=waiting_sql(), least=SAMPLES_MIN))
    asked = {"entities": [key[0] for key in wanted], "products": [key[1] for key in wanted]}
    today = now.date()
    found = {key: Situation(today, terms.horizon_days) for key in wanted}
    params = {**asked, "today": today, "but_kind": but[0], "but": sorted(but[1])}
    for row in rows(statement, params) if wanted else ():
        _note(found[row[1], row[2]], row, terms, hours, now)
    return found


def _note(
    into: Situation, row: tuple[Any, ...], terms: Terms, hours: dict[int, NodeHours], now: datetime
) -> None:
    what, _entity, _product, node_id, day, quantity, p50, p90, label, inbound_id = row
    node = hours.get(node_id)
    if node is not None and not node.is_active and what != "demand":
        return
    steps = as_steps(quantity)
    if what == "stock":
        into.stock[node_id] = into.stock.get(node_id, 0) + steps
    elif what == "demand":
        into.demand.append((node_id, day, steps))
    else:
        pace = terms.usual if p50 is None else Pace(p50, p90)
        today = node.today(now) if node else now.date()
        shown, overdue = shown_day(day, pace, today=today)
        into.coming.append(
            Coming(inbound_id, node_id, steps, day, shown, overdue, pace, label or "")
        )


@dataclass(frozen=True, slots=True)
class ProjectionDay:
    """One day of one node, in base units; `free` is what may be promised to leave on it."""

    date: date
    inbound: Decimal
    overdue: Decimal
    demand: Decimal
    projected: Decimal
    free: Decimal


@dataclass(frozen=True, slots=True)
class ProjectionRow:
    """What will be there at one node, or at all (`node` empty), day by day, of one owner."""

    entity_id: int
    node: str
    name: str
    on_hand: Decimal
    days: list[ProjectionDay]


def projections(
    *, product_id: int, entity_ids: Collection[int], now: datetime, terms: Terms
) -> list[ProjectionRow]:
    """Return a product's projections: each owner's whole, then its nodes by code. Two queries."""
    hours = node_hours(ids=None, on=now.date())
    keys = [(entity_id, product_id) for entity_id in sorted(entity_ids)]
    found = situations(keys=keys, now=now, terms=terms, hours=hours)
    return [row for key in keys for row in _rows(key[0], found[key], hours)]


def _rows(
    entity_id: int, situation: Situation, hours: dict[int, NodeHours]
) -> Iterator[ProjectionRow]:
    nodes = sorted(
        {*situation.nodes(), *(at for at, _day, _steps in situation.demand if at is not None)},
        key=lambda node_id: hours[node_id].code,
    )
    if not nodes and not situation.demand:
        return
    for node_id in (None, *nodes):
        whole = situation.at(node_id)
        node = None if node_id is None else hours[node_id]
        yield ProjectionRow(
            entity_id=entity_id,
            node=node.code if node else "",
            name=node.name if node else "",
            on_hand=from_steps(whole.on_hand),
            days=[
                ProjectionDay(
                    date=each.day,
                    inbound=from_steps(each.inbound),
                    overdue=from_steps(each.overdue),
                    demand=from_steps(each.demand),
                    projected=from_steps(each.projected),
                    free=from_steps(situation.free_on(node_id, each.day)),
                )
                for each in whole.days
            ],
        )
