"""Promises what waits by what backs it, and says so when a promise changes."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction

from erp.governance.services import Change, record
from erp.kernel.calendars import BusinessCalendar
from erp.kernel.prepared import Prepared
from erp.kernel.sql import records, rows, run
from erp.outbox.publishing import publish_all
from inventory.selectors import calendars, live_sourcings
from inventory.services.promising import Backing, Waiting, Wish, offer_supply, peg_waiting
from orders.events import PromiseChanged
from orders.models import Order
from orders.rules import TRANSIT_DAYS, arrival
from orders.services.promising._bounding import bounds_of, segments_by_order

if TYPE_CHECKING:
    from inventory.models import Sourcing

SERVED = [*Order.WAITING, Order.State.FULFILLING, Order.State.PARTLY_SHIPPED]
LINE = "orders.line"

READ = """
    SELECT l.id, l.order_id, l.position, l.product_id, l.waiting, l.node_id, o.number,
        o.entity_id, o.requested_date,
        coalesce(c.transit_days, %(transit)s) AS transit_days, c.calendar_id AS carrier_week,
        cu.calendar_id AS customer_week, l.promised_date, l.promised_p90_date, l.promise_basis,
        (SELECT EXISTS (SELECT FROM orders_segmentmember)) AS has_segments,
        (SELECT EXISTS (SELECT FROM orders_servingterms)) AS has_terms
    FROM orders_orderline l
    JOIN orders_order o ON o.id = l.order_id
    JOIN orders_customer cu ON cu.id = o.customer_id
    LEFT JOIN inventory_carrier c ON c.id = o.carrier_id
    WHERE {which}
        AND o.entity_id = %(entity)s AND o.state = ANY(%(states)s::text[])
    ORDER BY o.id, l.position
    FOR NO KEY UPDATE OF o
"""
WAITS = "l.waiting > 0 AND l.waiting > l.direct"
LINES = Prepared(READ.format(which=f"l.product_id = ANY(%(products)s::bigint[]) AND {WAITS}"))
OF_ORDER = Prepared(READ.format(which=f"o.id = %(order)s AND {WAITS}"))
RESERVED = READ.format(which="l.id = ANY(%(lines)s::bigint[]) AND l.waiting = 0")
CONCERNED = Prepared("""
    SELECT DISTINCT o.entity_id, l.product_id
    FROM orders_order o JOIN orders_orderline l ON l.order_id = o.id
    WHERE o.id = ANY(%(orders)s::bigint[]) AND (l.waiting > 0 OR EXISTS (
        SELECT FROM inventory_peg p WHERE p.demand_id = l.id AND p.demand_kind = 'orders.line'
    ))
""")
PROMISE = Prepared("""
    UPDATE orders_orderline l
    SET promised_date = p.p50, promised_p90_date = p.p90, promise_basis = p.basis,
        first_promised_date = coalesce(l.first_promised_date, p.p50)
    FROM unnest(%(ids)s::bigint[], %(p50)s::date[], %(p90)s::date[], %(bases)s::jsonb[])
        AS p (id, p50, p90, basis)
    WHERE l.id = p.id
""")
HEADS = Prepared("""
    UPDATE orders_order o SET promised_date = s.latest
    FROM (
        SELECT order_id, max(promised_date) AS latest,
            bool_and(promised_date IS NOT NULL OR quantity = cancelled) AS is_whole
        FROM orders_orderline WHERE order_id = ANY(%(orders)s::bigint[]) GROUP BY order_id
    ) AS s
    WHERE o.id = s.order_id AND s.is_whole AND o.promised_date IS DISTINCT FROM s.latest
""")


@dataclass(frozen=True, slots=True)
class _Line:
    """One line that waits, and what was promised for it so far."""

    id: int
    order_id: int
    position: int
    product_id: int
    waiting: Decimal
    node_id: int | None
    number: str
    entity_id: int
    requested_date: date
    transit_days: int
    carrier_week: int | None
    customer_week: int | None
    promised_date: date | None
    promised_p90_date: date | None
    promise_basis: Mapping[str, Any]
    has_segments: bool = False
    has_terms: bool = False


@dataclass(frozen=True, slots=True)
class _Promise:
    """What is to be promised for a line."""

    line: _Line
    p50: date
    p90: date
    cause: str
    supplies: Sequence[Mapping[str, str]]

    @property
    def is_another(self) -> bool:
        return (self.p50, self.p90) != (self.line.promised_date, self.line.promised_p90_date)


@transaction.atomic
def promise_products(*, entity_id: int, causes: Mapping[int, str], now: datetime) -> int:
    """Promise anew what waits for products (id -> cause); return how many promises changed.

    Locks the orders that wait, then what is on its way, each in id order. What a person promised by
    hand stays while it can be kept. Set-based: some fifteen statements, however many lines.
    Repeating it changes nothing.

    Publishes:
        PromiseChanged
    """
    products = sorted(causes)
    asked = {
        "products": products, "entity": entity_id, "states": SERVED, "transit": TRANSIT_DAYS,
    }  # fmt: skip
    lines = {row["id"]: line_of(row) for row in records(LINES, asked)}
    bounds = bounds_of(lines.values())
    waiting = peg_waiting(entity_id=entity_id, product_ids=products, bounds=bounds, now=now)
    mine = [each for each in waiting if each.kind == LINE and each.demand_id in lines]
    bought = _bought(entity_id, mine, lines, now)
    return keep_promises(lines, mine, bought, causes, now)


@transaction.atomic
def promise_orders(*, order_ids: Collection[int], cause: str, now: datetime) -> int:
    """Promise anew what waits for the products of these orders; return how many changed.

    Orders of which nothing waits or is pegged are passed over.

    Publishes:
        PromiseChanged
    """
    products: dict[int, dict[int, str]] = {}
    for entity_id, product_id in rows(CONCERNED, {"orders": sorted(set(order_ids))}):
        products.setdefault(entity_id, {})[product_id] = cause
    return sum(
        promise_products(entity_id=entity_id, causes=causes, now=now)
        for entity_id, causes in sorted(products.items())
    )


@transaction.atomic
def promise_rest(*, order_id: int, entity_id: int, cause: str, now: datetime) -> int:
    """Promise what one order still waits for by what nobody else waits for; return how many lines.

    Locks that order alone and pegs nothing: whoever has just reserved stock may call it. Pegs come
    with the next `promise_orders`, in rank, and may better the promise. A dozen statements.

    Publishes:
        PromiseChanged
    """
    asked = {
        "order": order_id, "entity": entity_id, "states": SERVED, "transit": TRANSIT_DAYS,
    }  # fmt: skip
    lines = {row["id"]: line_of(row) for row in records(OF_ORDER, asked)}
    ahead: dict[int, Decimal] = defaultdict(Decimal)
    segments, wishes = segments_by_order(lines.values()), []
    for line in lines.values():
        before = ahead[line.product_id]
        wishes.append(
            Wish(
                entity_id, line.product_id, line.waiting, line.node_id, ahead=before,
                segment=segments.get(line.order_id, 0),
            )
        )  # fmt: skip
        ahead[line.product_id] += line.waiting
    backed = []
    found = offer_supply(wishes=wishes, now=now, asking=(LINE, lines))
    for line, offered in zip(lines.values(), found, strict=True):
        whole = [each for each in offered.choices if each.quantity >= line.waiting]
        best = min(whole, key=lambda each: (each.kind == "buy", each.arrives_on), default=None)
        if best is None:
            continue
        rest = line.waiting
        into = Waiting(line.product_id, LINE, line.id, line.node_id, rest, missing=rest - rest)
        into.backings.append(
            Backing(
                best.kind, best.source, 0, rest, best.leaves_on, best.leaves_p90, best.is_overdue
            )
        )
        backed.append(into)
    causes = {line.product_id: cause for line in lines.values()}
    return keep_promises(lines, backed, {}, causes, now) if backed else 0


def reserved_lines(*, entity_id: int, line_ids: Sequence[int]) -> dict[int, _Line]:
    """Lock the orders of lines that wait for nothing and are not picked; return the lines."""
    asked = {
        "lines": list(line_ids), "entity": entity_id, "transit": TRANSIT_DAYS,
        "states": [*Order.WAITING, Order.State.ALLOCATED],
    }  # fmt: skip
    return {row["id"]: line_of(row) for row in records(RESERVED, asked)}


def keep_promises(
    lines: Mapping[int, _Line],
    backed: Sequence[Waiting],
    bought: Mapping[int, Backing],
    causes: Mapping[int, str],
    now: datetime,
) -> int:
    """Promise locked lines by what backs them, and tell what changed; return how many did."""
    weeks = calendars(
        ids=[w for line in lines.values() for w in (line.carrier_week, line.customer_week)],
        on=now.date(),
    )
    made = [
        promise
        for each in backed
        if (promise := _promise(lines[each.demand_id], each, bought, weeks, causes))
    ]
    _write([each for each in made if not _is_kept_by_hand(each)], now)
    changed = [each for each in made if each.is_another and not _is_kept_by_hand(each)]
    record(changes=[_change(each) for each in changed], actor=None, now=now)
    publish_all(
        [
            PromiseChanged(
                line_id=each.line.id,
                order_id=each.line.order_id,
                number=each.line.number,
                entity_id=each.line.entity_id,
                previous_date=_iso(each.line.promised_date),
                promised_date=_iso(each.p50),
                p90_date=_iso(each.p90),
                cause=each.cause,
            )
            for each in changed
        ]
    )
    return len(changed)


def line_of(row: dict[str, Any]) -> _Line:
    basis = row["promise_basis"] or {}
    return _Line(**row | {"promise_basis": json.loads(basis) if isinstance(basis, str) else basis})


def _bought(
    entity_id: int, waiting: Sequence[Waiting], lines: Mapping[int, _Line], now: datetime
) -> dict[int, Backing]:
    """Return by line what would be bought for what nothing backs, of those somebody offers."""
    short = [each for each in waiting if each.missing > 0]
    asked = _asked(short)
    short = [each for each in short if each.demand_id not in asked]
    segments = segments_by_order([lines[each.demand_id] for each in short])
    wishes = [
        Wish(
            entity_id, each.product_id, each.missing, each.node_id,
            segment=segments.get(lines[each.demand_id].order_id, 0),
        )
        for each in short
    ]  # fmt: skip
    found: dict[int, Backing] = dict(asked)
    for each, offered in zip(short, offer_supply(wishes=wishes, now=now), strict=True):
        buy = next((choice for choice in offered.choices if choice.kind == "buy"), None)
        if buy is not None:
            found[each.demand_id] = Backing(
                kind="buy",
                label=buy.source,
                node_id=0,
                quantity=each.missing,
                p50=buy.leaves_on,
                p90=buy.leaves_p90,
                is_overdue=False,
            )
    return found


def _asked(short: Sequence[Waiting]) -> dict[int, Backing]:
    """Return by line what was asked for elsewhere, where it is all that nothing else backs.

    What of it is on its way already backs the line by its peg. One query; none for none.
    """
    missing = {each.demand_id: each for each in short}
    found: dict[int, list[Sourcing]] = defaultdict(list)
    for row in live_sourcings(kind=LINE, ids=missing) if missing else ():
        on_its_way = {backing.label for backing in missing[row.demand_id].backings}
        if row.document_label and row.document_label not in on_its_way:
            found[row.demand_id].append(row)
    return {
        line_id: Backing(
            kind=rows_[-1].mode,
            label=", ".join(row.document_label for row in rows_),
            node_id=0,
            quantity=missing[line_id].missing,
            p50=max(row.leaves_on for row in rows_),
            p90=max(row.leaves_on for row in rows_),
            is_overdue=False,
        )
        for line_id, rows_ in found.items()
        if sum(row.quantity for row in rows_) >= missing[line_id].missing
    }


def _promise(
    line: _Line,
    waiting: Waiting,
    bought: Mapping[int, Backing],
    weeks: Mapping[int, BusinessCalendar],
    causes: Mapping[int, str],
) -> _Promise | None:
    """Return what can be promised; None while nothing is known to bring all of it."""
    backings = list(waiting.backings)
    if waiting.missing > 0:
        if line.id not in bought:
            return None
        backings.append(bought[line.id])

    def arrives(leaves: date) -> date:
        carrier, customer = weeks.get(line.carrier_week or 0), weeks.get(line.customer_week or 0)
        return max(line.requested_date, arrival(leaves, line.transit_days, carrier, customer))

    return _Promise(
        line=line,
        p50=max(arrives(each.p50) for each in backings),
        p90=max(arrives(each.p90) for each in backings),
        cause=causes[line.product_id][:200],
        supplies=list(_supplies(backings)),
    )


def _supplies(backings: Sequence[Backing]) -> Iterator[dict[str, str]]:
    for each in backings:
        yield {
            "kind": each.kind,
            "label": each.label,
            "quantity": f"{each.quantity.normalize():f}",
            "date": each.p50.isoformat(),
            "overdue": "yes" if each.is_overdue else "",
        }


def _is_kept_by_hand(promise: _Promise) -> bool:
    """Test if a person promised this line a day that can still be kept."""
    line = promise.line
    by_hand = line.promise_basis.get("by") == "hand"
    return by_hand and line.promised_date is not None and promise.p50 <= line.promised_date


def _write(made: Sequence[_Promise], now: datetime) -> None:
    """Write the promises that differ, in their dates or in what they rest on. Two statements."""
    written = [
        each
        for each in made
        if each.is_another or list(each.supplies) != each.line.promise_basis.get("supplies")
    ]
    if not written:
        return
    bases = [
        {"at": now.isoformat(), "cause": each.cause, "supplies": list(each.supplies)}
        for each in written
    ]
    asked = {
        "ids": [each.line.id for each in written],
        "p50": [each.p50 for each in written],
        "p90": [each.p90 for each in written],
        "bases": [json.dumps(basis) for basis in bases],
    }
    run(PROMISE, asked)
    run(HEADS, {"orders": sorted({each.line.order_id for each in written})})


def _change(promise: _Promise) -> Change:
    line = promise.line
    return Change(
        entity_id=line.entity_id,
        action="orders.promise",
        subject_kind="orders.line",
        subject_id=line.id,
        thread=f"orders.order:{line.order_id}",
        before={"promised": _iso(line.promised_date)} if line.promised_date else None,
        after={
            "line": line.position,
            "promised": _iso(promise.p50),
            "by_90": _iso(promise.p90),
            "from": ", ".join(dict.fromkeys(each["label"] for each in promise.supplies)),
        },
        reason=promise.cause,
    )


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
