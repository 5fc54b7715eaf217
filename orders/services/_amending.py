"""Rewrites orders that nobody has submitted yet."""

import json
from datetime import datetime
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.sql import run
from orders.models import Order
from orders.services._attaching import attach
from orders.services._capturing import sheet_of
from orders.services._counting import agreed_lines
from orders.services._drafting import OrderDraft
from orders.services._exploding import explode
from orders.services._locking import lock
from orders.services._pricing import line_columns
from orders.services._refusing import DraftRefused
from orders.services._storing import new_lines

REWRITE = """
    WITH gone AS (
        DELETE FROM orders_orderline WHERE order_id = %(order)s
    ), head AS (
        UPDATE orders_order SET
            customer_po = %(customer_po)s, external_ref = %(external_ref)s,
            requested_date = %(requested)s, ship_to = %(ship_to)s::jsonb, carrier_id = %(carrier)s,
            ship_complete = %(ship_complete)s, no_split = %(no_split)s,
            no_substitutes = %(no_substitutes)s, freight = %(freight)s, subtotal = %(subtotal)s,
            total = %(total)s
        WHERE id = %(order)s
    )
    SELECT 1
"""

INSERT_LINES = """
    INSERT INTO orders_orderline (
        order_id, position, product_id, uom, uom_quantity, quantity, unit_price, price_source,
        discount, amount, node_id, price_basis, reserved, shipped, invoiced, cancelled
    )
    SELECT %(order)s, l.position, l.product_id, l.uom, l.uom_quantity, l.quantity, l.unit_price,
           l.price_source, l.discount, l.amount, l.node_id, l.basis, 0, 0, 0, 0
    FROM unnest(
        %(products)s::bigint[], %(uoms)s::text[], %(uom_quantities)s::numeric[],
        %(quantities)s::numeric[], %(prices)s::numeric[], %(sources)s::text[],
        %(discounts)s::numeric[], %(amounts)s::numeric[], %(nodes)s::bigint[],
        %(bases)s::jsonb[]
    ) WITH ORDINALITY AS l (
        product_id, uom, uom_quantity, quantity, unit_price, price_source, discount, amount,
        node_id, basis, position
    )
"""


class NotADraft(DomainError):
    """The order was submitted: its lines are cancelled, not rewritten."""

    code: ClassVar[str] = "not_a_draft"


class AnotherCustomer(DomainError):
    """A draft stays with its customer and entity."""

    code: ClassVar[str] = "another_customer"


@transaction.atomic
def amend_draft(*, order_id: int, draft: OrderDraft, actor: User | None, now: datetime) -> Order:
    """Write a draft anew as `draft` says; prices are looked up again. Locks account and order.

    Raises:
        Order.DoesNotExist: there is no such order.
        NotADraft: it was submitted or cancelled, or was ordered from a quote or blanket order.
        AnotherCustomer: `draft` names another customer or entity.
        DraftRefused: it cannot be taken as written; `errors` names the fields.
    """
    lock([order_id])
    order = Order.objects.get(pk=order_id)
    if order.state != Order.State.DRAFT:
        raise NotADraft(f"{order.number} was submitted: cancel what is not wanted.")
    if (order.customer_id, order.entity_id) != (draft.customer_id, draft.entity_id):
        raise AnotherCustomer("A draft stays with its customer: write a new order.")
    if any(agreed_lines(order_id)) or order.kits.exists():
        raise NotADraft(f"{order.number} has agreed prices: change its lines one by one.")
    sheet = explode([sheet_of(draft, now)], now)[0]
    if isinstance(sheet, DraftRefused):
        raise sheet
    own = sheet.constraints()
    head = {
        "order": order_id,
        "customer_po": draft.customer_po,
        "external_ref": draft.external_ref,
        "requested": sheet.requested_date,
        "ship_to": json.dumps(sheet.ship_to),
        "carrier": draft.carrier_id,
        "freight": draft.freight,
        "subtotal": sheet.subtotal,
        "total": sheet.total,
        **own,
    }
    run(REWRITE, head)
    run(INSERT_LINES, {"order": order_id, **line_columns(sheet.lines)})
    attach([new_lines(order_id, sheet)])
    change = Change(
        entity_id=order.entity_id,
        action="orders.amend",
        subject_kind="orders.order",
        subject_id=order_id,
        thread=f"orders.order:{order_id}",
        before={"total": f"{order.total:f}"},
        after={"total": f"{sheet.total:f}", "lines": len(sheet.lines)},
    )
    record(changes=[change], actor=actor, now=now)
    return Order.objects.get(pk=order_id)
