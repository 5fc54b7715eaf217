"""Takes orders down: from whatever door, the same draft."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.prepared import Prepared
from erp.kernel.sql import records, rows
from erp.outbox.publishing import publish_all
from orders.events import OrderCreated
from orders.rules import AMOUNT_MAX, address_of, in_cents
from orders.services._drafting import LineDraft, OrderDraft, head_refusal
from orders.services._pricing import LineAsk, PricedLine, line_columns, price_lines
from orders.services._refusing import BadAmount, BadReference, DraftRefused

CONSTRAINTS = ("ship_complete", "no_split", "no_substitutes")

FIND_ACCOUNTS = Prepared("""
    SELECT a.id AS account_id, a.entity_id, a.customer_id, a.currency, c.code,
           c.name, c.address, c.city, c.region, c.postal_code, c.country,
           c.ship_complete, c.no_split, c.no_substitutes,
           (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date AS today
    FROM (SELECT DISTINCT entity_id, customer_id
          FROM unnest(%(entities)s::bigint[], %(customers)s::bigint[])
              AS asked (entity_id, customer_id)) AS asked
    JOIN orders_creditaccount a
        ON a.entity_id = asked.entity_id AND a.customer_id = asked.customer_id
    JOIN orders_customer c ON c.id = a.customer_id
    JOIN accounts_entity e ON e.id = a.entity_id
""")

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
class Captured:
    """What became of one draft of many: its order, or why there is none."""

    order: CreatedOrder | None
    refusal: DomainError | None


@dataclass(frozen=True, slots=True)
class PricedDraft:
    """What a draft comes to, in its account's currency."""

    account_id: int
    currency: str
    lines: int
    subtotal: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class Sheet:
    """A draft whose every part is known, ready to be stored."""

    draft: OrderDraft
    account: Mapping[str, Any]
    lines: list[PricedLine]
    subtotal: Decimal
    total: Decimal

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


@transaction.atomic
def create_orders_bulk(
    *, drafts: Sequence[OrderDraft], actor: User | None, now: datetime
) -> list[Captured]:
    """Store every draft that can be taken as an order; say of each other what is wrong with it.

    Five statements for any number of orders. Publishes OrderCreated for each new one.
    """
    return _capture(drafts, actor, now)


@transaction.atomic
def create_orders(
    *, drafts: Sequence[OrderDraft], actor: User | None, now: datetime
) -> list[CreatedOrder]:
    """Store every draft as an order, or none of them. Publishes OrderCreated for each new one.

    Raises:
        DraftRefused: the first that cannot be taken, with every field at fault in `errors`; its
            subclasses say what: NoLines, TooManyLines, CustomerNotServed, UnknownProduct,
            BlockedProduct, UnknownUom, BadQuantity, NoPrice, BadAmount, BadReference.
    """
    return _all_of(_capture(drafts, actor, now))


@transaction.atomic
def create_order(*, draft: OrderDraft, actor: User | None, now: datetime) -> CreatedOrder:
    """Store one draft as an order; see `create_orders`.

    Raises:
        DraftRefused: it cannot be taken as written.
    """
    return _all_of(_capture([draft], actor, now))[0]


@transaction.atomic
def price_draft(*, draft: OrderDraft, now: datetime) -> PricedDraft:
    """Say what a draft would come to, without storing anything. Two queries.

    Raises:
        DraftRefused: it cannot be taken as written.
    """
    sheet = sheet_of(draft, now)
    return PricedDraft(
        account_id=sheet.account["account_id"],
        currency=sheet.account["currency"],
        lines=len(sheet.lines),
        subtotal=sheet.subtotal,
        total=sheet.total,
    )


def sheet_of(draft: OrderDraft, now: datetime) -> Sheet:
    """Return a draft with its account, prices and sums, without storing anything. Two queries.

    Raises:
        DraftRefused: it cannot be taken as written.
    """
    sheet = _priced([draft], _accounts_of([draft], now))[0]
    if isinstance(sheet, DraftRefused):
        raise sheet
    return sheet


def _capture(drafts: Sequence[OrderDraft], actor: User | None, now: datetime) -> list[Captured]:
    accounts = _accounts_of(drafts, now)
    sheets = _priced(drafts, accounts)
    good = [sheet for sheet in sheets if isinstance(sheet, Sheet)]
    made = iter(_store(good, actor, now) if good else [])
    return [
        Captured(order=next(made), refusal=None)
        if isinstance(sheet, Sheet)
        else Captured(order=None, refusal=sheet)
        for sheet in sheets
    ]


def _all_of(captured: Sequence[Captured]) -> list[CreatedOrder]:
    for each in captured:
        if each.refusal is not None:
            raise each.refusal
    return [each.order for each in captured if each.order is not None]


def _accounts_of(
    drafts: Sequence[OrderDraft], now: datetime
) -> dict[tuple[int, int], dict[str, Any]]:
    params = {
        "now": now,
        "entities": [draft.entity_id for draft in drafts],
        "customers": [draft.customer_id for draft in drafts],
    }
    return {(a["entity_id"], a["customer_id"]): a for a in records(FIND_ACCOUNTS, params)}


def _priced(
    drafts: Sequence[OrderDraft], accounts: Mapping[tuple[int, int], Mapping[str, Any]]
) -> list["Sheet | DraftRefused"]:
    heads = [
        head_refusal(draft, is_served=(draft.entity_id, draft.customer_id) in accounts)
        for draft in drafts
    ]
    asks: list[LineAsk] = []
    fields: list[str] = []
    for draft, refusal in zip(drafts, heads, strict=True):
        if refusal is None:
            account = accounts[draft.entity_id, draft.customer_id]
            asks += [_ask(draft, line, account) for line in draft.lines]
            fields += [f"lines[{index}]" for index in range(len(draft.lines))]
    lines = iter(price_lines(asks, fields))
    return [
        refusal or _sheet(draft, accounts, [next(lines) for _ in draft.lines])
        for draft, refusal in zip(drafts, heads, strict=True)
    ]


def _ask(draft: OrderDraft, line: LineDraft, account: Mapping[str, Any]) -> LineAsk:
    return LineAsk(
        entity_id=draft.entity_id,
        customer_id=draft.customer_id,
        currency=account["currency"],
        day=account["today"],
        product_id=line.product_id,
        quantity=line.quantity,
        uom=line.uom,
        unit_price=line.unit_price,
        discount=line.discount,
        node_id=line.node_id,
        price_source=line.price_source,
        price_basis=line.price_basis,
    )


def _sheet(
    draft: OrderDraft,
    accounts: Mapping[tuple[int, int], Mapping[str, Any]],
    found: Sequence[PricedLine | DraftRefused],
) -> "Sheet | DraftRefused":
    lines = [line for line in found if isinstance(line, PricedLine)]
    refusals = [line for line in found if isinstance(line, DraftRefused)]
    if refusals:
        return refusals[0].along_with(refusals[1:])
    subtotal = sum((line.amount for line in lines), Decimal(0))
    total = in_cents(subtotal + draft.freight)
    if total > AMOUNT_MAX:
        return BadAmount("The order's total is too large.", "lines")
    account = accounts[draft.entity_id, draft.customer_id]
    if draft.currency not in {"", account["currency"]}:
        return BadReference(f"The account is kept in {account['currency']}.", "currency")
    return Sheet(draft=draft, account=account, lines=lines, subtotal=subtotal, total=total)


def _store(sheets: Sequence[Sheet], actor: User | None, now: datetime) -> list[CreatedOrder]:
    params: dict[str, Any] = {**_order_columns(sheets), **_line_columns(sheets)}
    params |= {"now": now, "actor": None if actor is None else actor.pk}
    stored = rows(INSERT, params)
    fresh = [(sheet, row) for sheet, row in zip(sheets, stored, strict=True) if row[0] is not None]
    _tell(fresh, actor, now)
    missing = [place for place, row in enumerate(stored) if row[0] is None]
    known = _by_key(sheets, missing) if missing else {}
    return [
        CreatedOrder(id=row[0], number=row[1], created=True) if row[0] is not None else known[place]
        for place, row in enumerate(stored)
    ]


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
