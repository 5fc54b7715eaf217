"""Letting shipments leave: one commit from the shelf to the ledger."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from erp.accounts.models import User
from erp.kernel.prepared import Prepared
from erp.kernel.sql import records, run
from finance.models import Account, JournalEntry
from finance.services._posting import ForeignCurrency, Posting, post
from inventory.services import ShippedLine
from inventory.services import ship_shipments as ship_stock
from inventory.services.dropping import Bought
from orders.services import ShippedAmount, record_shipped

Purpose = Account.Purpose

LOCK = Prepared("""
    WITH wanted AS MATERIALIZED (
        SELECT s.id, s.number, s.source_id
        FROM inventory_shipment s
        WHERE s.id = ANY(%(shipments)s::bigint[]) AND s.source_kind = 'orders.order'
    ), account AS MATERIALIZED (
        SELECT a.id FROM orders_creditaccount a
        WHERE a.id IN (SELECT o.account_id FROM orders_order o JOIN wanted w ON w.source_id = o.id)
        ORDER BY a.id FOR NO KEY UPDATE
    ), document AS MATERIALIZED (
        SELECT o.id, o.number, o.currency, o.entity_id FROM orders_order o
        WHERE o.id IN (SELECT source_id FROM wanted) AND (SELECT count(*) FROM account) >= 0
        ORDER BY o.id FOR NO KEY UPDATE
    )
    SELECT w.id, w.number, d.id AS order_id, d.number AS order_number, d.currency,
           d.entity_id, e.currency AS books
    FROM wanted w JOIN document d ON d.id = w.source_id JOIN accounts_entity e ON e.id = d.entity_id
""")

DRAFT = Prepared("""
    WITH draft AS (
        INSERT INTO finance_invoice
            (entity_id, customer_id, account_id, order_id, shipment_id, state, currency,
             invoice_date, due_date, net, freight, tax, total, paid, created_at)
        SELECT o.entity_id, o.customer_id, o.account_id, o.id, n.shipment_id, 'draft', o.currency,
               day.today, day.today + a.terms_days, n.net, 0, 0, n.net, 0, %(now)s::timestamptz
        FROM unnest(%(shipments)s::bigint[], %(orders)s::bigint[], %(nets)s::numeric[])
            AS n (shipment_id, order_id, net)
        JOIN orders_order o ON o.id = n.order_id
        JOIN orders_creditaccount a ON a.id = o.account_id
        JOIN accounts_entity e ON e.id = o.entity_id
        CROSS JOIN LATERAL (
            SELECT (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date AS today
        ) AS day
        ORDER BY n.shipment_id
        RETURNING id, shipment_id
    )
    INSERT INTO finance_invoiceline
        (invoice_id, shipment_line_id, order_line_id, product_id, quantity, unit_price, discount,
         amount)
    SELECT draft.id, l.shipment_line_id, l.order_line_id, l.product_id, l.quantity,
           o.unit_price, o.discount, l.amount
    FROM unnest(
        %(line_shipments)s::bigint[], %(shipment_lines)s::bigint[], %(order_lines)s::bigint[],
        %(products)s::bigint[], %(quantities)s::numeric[], %(amounts)s::numeric[]
    ) AS l (shipment_id, shipment_line_id, order_line_id, product_id, quantity, amount)
    JOIN draft ON draft.shipment_id = l.shipment_id
    JOIN orders_orderline o ON o.id = l.order_line_id
    ORDER BY draft.id, o.position, l.shipment_line_id
""")


@dataclass(frozen=True, slots=True)
class Shipped:
    """One shipment that left. `amount` will be invoiced for its goods, `cost` left the stock."""

    shipment_id: int
    number: str
    order_id: int
    currency: str
    amount: Decimal
    cost: Decimal


@transaction.atomic
def ship_shipments(
    *,
    shipment_ids: Sequence[int],
    actor: User | None,
    now: datetime,
    bought: Mapping[int, Bought] | None = None,
) -> list[Shipped]:
    """Confirm that packed shipments left; return those that did so now.

    One commit: stock moves and their cost, the order's lines and exposure, cost of goods against
    inventory, the accrual against sales, and the draft of each invoice. Shipments that left before
    are missing from the answer. Lines that were `bought` for it (by id) cost what was paid.
    Locks the credit accounts, then the orders, then stock.

    Raises:
        ForeignCurrency: an order is in another currency than its entity's books.
        PeriodClosed: today's period is closed.
        BooksNotOpen: the entity has no chart of accounts.
        and what `inventory.services.ship_shipments` refuses.
    """
    heads = {head["id"]: head for head in records(LOCK, {"shipments": [*shipment_ids]})}
    for head in heads.values():
        if head["currency"] != head["books"]:
            raise ForeignCurrency(head["order_number"], head["currency"], head["books"])
    lines = ship_stock(shipment_ids=shipment_ids, actor=actor, now=now, bought=bought)
    if not lines:
        return []
    charged = {c.shipment_line_id: c for c in record_shipped(lines=lines, now=now)}
    costs: dict[int, Decimal] = defaultdict(Decimal)
    nets: dict[int, Decimal] = defaultdict(Decimal)
    for line in lines:
        costs[line.shipment_id] += line.cost
        nets[line.shipment_id] += charged[line.shipment_line_id].amount
    shipped = [
        Shipped(
            shipment_id=shipment_id,
            number=heads[shipment_id]["number"],
            order_id=heads[shipment_id]["order_id"],
            currency=heads[shipment_id]["currency"],
            amount=nets[shipment_id],
            cost=cost,
        )
        for shipment_id, cost in sorted(costs.items())
    ]
    _draft_invoices(shipped, lines, charged, now)
    post(
        [
            Posting(
                entity_id=heads[each.shipment_id]["entity_id"],
                kind=JournalEntry.Kind.SHIPMENT,
                cause_kind="inventory.shipment",
                cause_id=each.shipment_id,
                lines=[
                    (Purpose.COST, each.cost),
                    (Purpose.INVENTORY, -each.cost),
                    (Purpose.UNBILLED, each.amount),
                    (Purpose.REVENUE, -each.amount),
                ],
                memo=each.number,
            )
            for each in shipped
        ],
        actor=actor,
        now=now,
    )
    return shipped


def _draft_invoices(
    shipped: Sequence[Shipped],
    lines: Sequence[ShippedLine],
    charged: dict[int, ShippedAmount],
    now: datetime,
) -> None:
    run(
        DRAFT,
        {
            "now": now,
            "shipments": [each.shipment_id for each in shipped],
            "orders": [each.order_id for each in shipped],
            "nets": [each.amount for each in shipped],
            "line_shipments": [line.shipment_id for line in lines],
            "shipment_lines": [line.shipment_line_id for line in lines],
            "order_lines": [charged[line.shipment_line_id].order_line_id for line in lines],
            "products": [line.product_id for line in lines],
            "quantities": [line.quantity for line in lines],
            "amounts": [charged[line.shipment_line_id].amount for line in lines],
        },
    )
