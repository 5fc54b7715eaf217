"""Writes drafts whose every part is known as orders, in one statement however many they are."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from erp.outbox.publishing import publish_all
from orders.events import OrderCreated
from orders.rules import address_of
from orders.services._attaching import NewLines, attach
from orders.services._drafting import OrderDraft
from orders.services._pricing import PricedLine, line_columns

CONSTRAINTS = ("ship_complete", "no_split", "no_substitutes")

# Ids are drawn first, so that lines find their order; an order whose key is taken is not made.
INSERT = Prepared("""
    WITH asked AS MATERIALIZED (
        SELECT nextval('orders_order_id_seq') AS id, o.*
        FROM unnest(
            %(entities)s::bigint[], %(customers)s::bigint[], %(accounts)s::bigint[],
            %(channels)s::text[], %(customer_pos)s::text[], %(client_keys)s::text[],
            %(external_refs)s::text[], %(currencies)s::text[], %(requested)s::date[],
            %(ship_tos)s::jsonb[], %(carriers)s::bigint[], %(completes)s::boolean[],
            %(no_splits)s::boolean[], %(no_substitutes)s::boolean[], %(freights)s::numeric[],
            %(subtotals)s::numeric[], %(totals)s::numeric[]
        ) WITH ORDINALITY AS o (
            entity_id, customer_id, account_id, channel, customer_po, client_key, external_ref,
            currency, requested_date, ship_to, carrier_id, ship_complete, no_split,
            no_substitutes, freight, subtotal, total, place
        )
    ), made AS (
        INSERT INTO orders_order (
            id, entity_id, customer_id, account_id, state, channel, customer_po, client_key,
            external_ref, currency, requested_date, ship_to, carrier_id, ship_complete, no_split,
            no_substitutes, class_code, priority, freight, subtotal, total, created_at,
            created_by_id, cancel_reason
        )
        SELECT id, entity_id, customer_id, account_id, 'draft', channel, customer_po, client_key,
               external_ref, currency, requested_date, ship_to, carrier_id, ship_complete,
               no_split, no_substitutes, '', 50, freight, subtotal, total,
               %(now)s::timestamptz, %(actor)s::bigint, ''
        FROM asked ORDER BY place
        ON CONFLICT (entity_id, client_key) WHERE client_key IS NOT NULL DO NOTHING
        RETURNING id, number
    ), lines AS (
        INSERT INTO orders_orderline (
            order_id, position, product_id, uom, uom_quantity, quantity, unit_price, price_source,
            discount, amount, node_id, price_basis, reserved, shipped, invoiced, cancelled
        )
        SELECT made.id, l.position, l.product_id, l.uom, l.uom_quantity, l.quantity,
               l.unit_price, l.price_source, l.discount, l.amount, l.node_id, l.basis, 0, 0, 0, 0
        FROM unnest(
            %(places)s::int[], %(positions)s::int[], %(products)s::bigint[], %(uoms)s::text[],
            %(uom_quantities)s::numeric[], %(quantities)s::numeric[], %(prices)s::numeric[],
            %(sources)s::text[], %(discounts)s::numeric[], %(amounts)s::numeric[],
            %(nodes)s::bigint[], %(bases)s::jsonb[]
        ) AS l (
            place, position, product_id, uom, uom_quantity, quantity, unit_price, price_source,
            discount, amount, node_id, basis
        )
        JOIN asked ON asked.place = l.place
        JOIN made ON made.id = asked.id
        ORDER BY made.id, l.position
    )
    SELECT made.id, made.number
    FROM asked LEFT JOIN made ON made.id = asked.id
    ORDER BY asked.place
""")

FIND_BY_KEY = Prepared("""
    SELECT asked.place, o.id, o.number
    FROM unnest(%(places)s::int[], %(entities)s::bigint[], %(keys)s::text[])
        AS asked (place, entity_id, client_key)
    JOIN orders_order o
        ON o.entity_id = asked.entity_id AND o.client_key = asked.client_key
""")


@dataclass(frozen=True, slots=True)
class CreatedOrder:
    """The order of a draft; `created` is false where its key named one that was there before."""

    id: int
    number: str
    created: bool


@dataclass(frozen=True, slots=True)
class Part:
    """Where a line of a sheet comes from: which line of the draft, which of its kits."""

    origin: int | None
    kit: int | None = None
    per_kit: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A draft whose every part is known, ready to be stored.

    Where kits were exploded, `kits` are they and `parts` says of each line where it comes from.
    """

    draft: OrderDraft
    account: Mapping[str, Any]
    lines: list[PricedLine]
    subtotal: Decimal
    total: Decimal
    parts: Sequence[Part] = ()
    kits: Sequence[PricedLine] = ()

    @property
    def requested_date(self) -> date:
        return self.draft.requested_date or self.account["today"]

    @property
    def ship_to(self) -> dict[str, Any]:
        return dict(self.draft.ship_to) or address_of(self.account)

    def constraints(self) -> dict[str, bool]:
        """Return the constraints of the order, or the customer's where it says nothing."""
        wanted = {name: getattr(self.draft, name) for name in CONSTRAINTS}
        return {n: bool(self.account[n] if w is None else w) for n, w in wanted.items()}


def store(sheets: Sequence[Sheet], actor: User | None, now: datetime) -> list[CreatedOrder]:
    """Insert the orders with their lines; one whose key is taken is answered as it stands."""
    params: dict[str, Any] = {**_order_columns(sheets), **_line_columns(sheets)}
    params |= {"now": now, "actor": None if actor is None else actor.pk}
    stored = rows(INSERT, params)
    fresh = [(sheet, row) for sheet, row in zip(sheets, stored, strict=True) if row[0] is not None]
    attach([new_lines(row[0], sheet) for sheet, row in fresh])
    _tell(fresh, actor, now)
    missing = [place for place, row in enumerate(stored) if row[0] is None]
    known = _by_key(sheets, missing) if missing else {}
    return [
        CreatedOrder(id=row[0], number=row[1], created=True) if row[0] is not None else known[place]
        for place, row in enumerate(stored)
    ]


def new_lines(order_id: int, sheet: Sheet) -> NewLines:
    """Return a stored sheet with where each of its lines comes from."""
    typed = len(sheet.draft.lines)
    plain = [Part(place if place < typed else None) for place in range(len(sheet.lines))]
    parts = [(each.origin, each.kit, each.per_kit) for each in sheet.parts or plain]
    return NewLines(order_id, sheet.draft, parts, sheet.kits)


def _tell(
    fresh: Sequence[tuple[Sheet, tuple[int, str]]], actor: User | None, now: datetime
) -> None:
    if not fresh:
        return
    changes = [
        Change(
            entity_id=sheet.draft.entity_id,
            action="orders.create",
            subject_kind="orders.order",
            subject_id=order_id,
            thread=f"orders.order:{order_id}",
            after={
                "state": "draft",
                "customer": sheet.account["code"],
                "lines": len(sheet.lines),
                "total": str(sheet.total),
                "currency": sheet.account["currency"],
                "channel": sheet.draft.channel,
            },
        )
        for sheet, (order_id, _) in fresh
    ]
    record(changes=changes, actor=actor, now=now)
    publish_all(
        [
            OrderCreated(order_id=order_id, number=number, entity_id=sheet.draft.entity_id)
            for sheet, (order_id, number) in fresh
        ]
    )


def _by_key(sheets: Sequence[Sheet], places: Sequence[int]) -> dict[int, CreatedOrder]:
    """Return the orders that were there before. They are committed: the insert waited for them."""
    params = {
        "places": places,
        "entities": [sheets[place].draft.entity_id for place in places],
        "keys": [sheets[place].draft.client_key for place in places],
    }
    return {
        place: CreatedOrder(id=order_id, number=number, created=False)
        for place, order_id, number in rows(FIND_BY_KEY, params)
    }


def _order_columns(sheets: Sequence[Sheet]) -> dict[str, list[Any]]:
    own = [sheet.constraints() for sheet in sheets]
    return {
        "entities": [s.draft.entity_id for s in sheets],
        "customers": [s.draft.customer_id for s in sheets],
        "accounts": [s.account["account_id"] for s in sheets],
        "channels": [s.draft.channel for s in sheets],
        "customer_pos": [s.draft.customer_po for s in sheets],
        "client_keys": [s.draft.client_key or None for s in sheets],
        "external_refs": [s.draft.external_ref for s in sheets],
        "currencies": [s.account["currency"] for s in sheets],
        "requested": [s.requested_date for s in sheets],
        "ship_tos": [json.dumps(s.ship_to) for s in sheets],
        "carriers": [s.draft.carrier_id for s in sheets],
        "completes": [each["ship_complete"] for each in own],
        "no_splits": [each["no_split"] for each in own],
        "no_substitutes": [each["no_substitutes"] for each in own],
        "freights": [s.draft.freight for s in sheets],
        "subtotals": [s.subtotal for s in sheets],
        "totals": [s.total for s in sheets],
    }


def _line_columns(sheets: Sequence[Sheet]) -> dict[str, list[Any]]:
    placed = [
        (place, position, line)
        for place, sheet in enumerate(sheets, 1)
        for position, line in enumerate(sheet.lines, 1)
    ]
    return {
        "places": [place for place, _, _ in placed],
        "positions": [position for _, position, _ in placed],
        **line_columns([line for _, _, line in placed]),
    }
