"""Follows what finance posts: goods that left, invoices, cash."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.db import transaction

from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.prepared import Prepared
from erp.kernel.sql import records, rows, run
from erp.kernel.states import move
from erp.outbox.publishing import publish_all
from inventory.services import ShippedLine
from orders.events import OrderClosed, OrderShipped
from orders.models import Order
from orders.rules import PART_OF
from orders.services._locking import lock


def _part(done: str) -> str:
    return PART_OF.format(amount="l.amount", done=done, quantity="l.quantity")


# What each piece is worth is the step of a running sum, so that all pieces of an order make its
# rounded subtotal: `upto` is what has left of the order by then, exactly.
SHIP = Prepared(f"""
    WITH gone AS (
        SELECT g.shipment_line_id, g.quantity, g.place, g.line_id, l.order_id,
               {_part("g.after")} - {_part("g.after - g.quantity")} AS exact,
               {_part("g.after + l.cancelled")} - {_part("g.after + l.cancelled - g.quantity")}
                   AS freed
        FROM (
            SELECT u.*, o.shipped
                   + sum(u.quantity) OVER (PARTITION BY u.line_id ORDER BY u.place) AS after
            FROM unnest(
                %(shipment_lines)s::bigint[], %(lines)s::bigint[], %(quantities)s::numeric[]
            ) WITH ORDINALITY AS u (shipment_line_id, line_id, quantity, place)
            JOIN orders_orderline o ON o.id = u.line_id
        ) AS g
        JOIN orders_orderline l ON l.id = g.line_id
    ), before AS (
        SELECT l.order_id, sum({_part("l.shipped")}) AS exact,
               sum(l.quantity - l.cancelled - l.shipped) AS open
        FROM orders_orderline l
        WHERE l.order_id IN (SELECT order_id FROM gone)
        GROUP BY l.order_id
    ), running AS (
        SELECT gone.*, before.open - sum(gone.quantity) OVER (PARTITION BY gone.order_id) AS open,
               before.exact + sum(gone.exact) OVER (PARTITION BY gone.order_id ORDER BY place)
                   AS upto
        FROM gone JOIN before USING (order_id)
    ), worth AS (
        SELECT running.*, o.account_id, o.currency, o.number, o.entity_id, o.state,
               round(upto, 2) - round(upto - exact, 2) AS amount
        FROM running JOIN orders_order o ON o.id = running.order_id
    ), moved AS (
        UPDATE orders_orderline l
        SET shipped = l.shipped + d.quantity, reserved = l.reserved - d.quantity
        FROM (SELECT line_id, sum(quantity) AS quantity FROM gone GROUP BY line_id) AS d
        WHERE l.id = d.line_id
    ), charged AS (
        UPDATE orders_creditaccount a
        SET committed = a.committed - d.freed, unbilled = a.unbilled + d.amount
        FROM (SELECT account_id, sum(freed) AS freed, sum(amount) AS amount
              FROM worth GROUP BY account_id) AS d
        WHERE a.id = d.account_id
    )
    SELECT shipment_line_id, order_id, line_id AS order_line_id, account_id, currency, amount,
           exact, number, entity_id, state, open,
           (SELECT h.reason FROM orders_hold h
            WHERE h.order_id = worth.order_id AND h.state = 'active'
            ORDER BY h.id LIMIT 1) AS stopped
    FROM worth ORDER BY place
""")  # noqa: S608  the parts are our own

# The first invoice of an order bears its freight, which until then counted as committed.
BILL = Prepared("""
    WITH billed AS (
        SELECT line_id, quantity FROM unnest(%(lines)s::bigint[], %(quantities)s::numeric[])
            AS b (line_id, quantity)
    ), before AS (
        SELECT l.order_id, bool_or(l.invoiced > 0) AS is_billed,
               sum(l.quantity - l.cancelled - l.invoiced - coalesce(b.quantity, 0)) AS left_over
        FROM orders_orderline l LEFT JOIN billed b ON b.line_id = l.id
        WHERE l.order_id = ANY(%(orders)s)
        GROUP BY l.order_id
    ), moved AS (
        UPDATE orders_orderline l SET invoiced = l.invoiced + b.quantity
        FROM billed b WHERE l.id = b.line_id
    ), freight AS (
        SELECT o.account_id, sum(o.freight) AS amount
        FROM before JOIN orders_order o ON o.id = before.order_id
        WHERE NOT before.is_billed
        GROUP BY o.account_id
    ), charged AS (
        UPDATE orders_creditaccount a
        SET unbilled = a.unbilled - d.unbilled, receivable = a.receivable + d.receivable,
            committed = a.committed - coalesce(freight.amount, 0)
        FROM unnest(%(accounts)s::bigint[], %(unbilled)s::numeric[], %(receivable)s::numeric[])
            AS d (id, unbilled, receivable)
        LEFT JOIN freight ON freight.account_id = d.id
        WHERE a.id = d.id
    )
    SELECT order_id FROM before WHERE left_over = 0 ORDER BY order_id
""")

CASH = Prepared("""
    UPDATE orders_creditaccount a
    SET receivable = a.receivable - d.receivable, unapplied = a.unapplied + d.unapplied
    FROM (SELECT id, sum(receivable) AS receivable, sum(unapplied) AS unapplied
          FROM unnest(%(accounts)s::bigint[], %(receivable)s::numeric[], %(unapplied)s::numeric[])
              AS c (id, receivable, unapplied)
          GROUP BY id) AS d
    WHERE a.id = d.id
""")

OVERDUE = """
    UPDATE orders_creditaccount a
    SET overdue_amount = d.amount, overdue_since = d.since, paid_count = d.paid,
        paid_late_count = d.late, paid_late_days = d.late_days
    FROM unnest(%(accounts)s::bigint[], %(amounts)s::numeric[], %(since)s::date[], %(paid)s::int[],
                %(late)s::int[], %(late_days)s::int[])
        AS d (id, amount, since, paid, late, late_days)
    WHERE a.id = d.id
      AND (a.overdue_amount, a.overdue_since, a.paid_count, a.paid_late_count, a.paid_late_days)
          IS DISTINCT FROM (d.amount, d.since, d.paid, d.late, d.late_days)
"""

HEADS = "SELECT id, number, entity_id FROM orders_order WHERE id = ANY(%(ids)s) ORDER BY id"


@dataclass(frozen=True, slots=True)
class ShippedAmount:
    """What one shipped line is worth in the order's currency.

    `amount` is whole cents, cut so that all shipments of an order sum to its rounded subtotal: post
    this. `exact` is the same to a hundredth of a cent, before rounding.
    """

    shipment_line_id: int
    order_id: int
    order_line_id: int
    account_id: int
    currency: str
    amount: Decimal
    exact: Decimal


@dataclass(frozen=True, slots=True)
class InvoicedLine:
    """So much of one order line is invoiced now, in base units."""

    order_line_id: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class BilledAccount:
    """By how much invoicing lowers what is unbilled and raises what is owed (incl. freight)."""

    account_id: int
    unbilled: Decimal
    receivable: Decimal


@dataclass(frozen=True, slots=True)
class CashChange:
    """Cash against one account: `receivable` falls by so much, `unapplied` changes by so much."""

    account_id: int
    receivable: Decimal
    unapplied: Decimal


@dataclass(frozen=True, slots=True)
class Overdue:
    """What an account owes past its due date today, and since when; none: nothing is overdue.

    And how it paid: so many invoices in full, of them late, and by how many days in all.
    """

    account_id: int
    amount: Decimal
    since: date | None
    paid: int = 0
    late: int = 0
    late_days: int = 0


class GoodsStopped(DomainError):
    """A hold keeps the order's goods here, picked or packed as they may be."""

    code: ClassVar[str] = "goods_stopped"


@transaction.atomic
def record_shipped(*, lines: Sequence[ShippedLine], now: datetime) -> list[ShippedAmount]:
    """Note on the order lines what left, and say what each piece is worth.

    The accounts' commitments become unbilled sales, and the orders are shipped or partly shipped.
    The caller has locked the accounts and orders before the stock (`lock_orders`).

    Raises:
        GoodsStopped: a hold was placed on an order while its goods were being picked.

    Publishes:
        OrderShipped
    """
    params = {
        "shipment_lines": [line.shipment_line_id for line in lines],
        "lines": [line.demand_id for line in lines],
        "quantities": [line.quantity for line in lines],
    }
    worth = records(SHIP, params) if lines else []
    heads = {each["order_id"]: each for each in worth}
    _refuse_stopped(heads.values())
    done = [order_id for order_id, each in heads.items() if not each["open"]]
    move(Order, "ship_all", done, shipped_at=now)
    move(Order, "ship_some", [order_id for order_id, each in heads.items() if each["open"]])
    changes = [
        _change(order_id, each, "orders.ship", "partly_shipped" if each["open"] else "shipped")
        for order_id, each in heads.items()
    ]
    record(changes=changes, actor=None, now=now)
    publish_all(
        [
            OrderShipped(
                order_id=order_id,
                number=heads[order_id]["number"],
                entity_id=heads[order_id]["entity_id"],
            )
            for order_id in done
        ]
    )
    fields = tuple(ShippedAmount.__dataclass_fields__)
    return [ShippedAmount(**{name: each[name] for name in fields}) for each in worth]


def _refuse_stopped(heads: Iterable[Mapping[str, Any]]) -> None:
    for head in heads:
        if head["stopped"] is not None:
            raise GoodsStopped(f"{head['number']} is on hold, its goods stay: {head['stopped']}")


@transaction.atomic
def record_invoiced(
    *, lines: Sequence[InvoicedLine], amounts: Sequence[BilledAccount], now: datetime
) -> None:
    """Note on the order lines what was invoiced, and on the accounts what is owed now.

    Each line is named once. An order of which all is invoiced is so itself. Locks the accounts,
    then the orders.
    """
    of_line = "SELECT DISTINCT order_id FROM orders_orderline WHERE id = ANY(%(ids)s)"
    orders = [row[0] for row in rows(of_line, {"ids": [line.order_line_id for line in lines]})]
    lock(orders, [each.account_id for each in amounts])
    params = {
        "orders": orders,
        "lines": [line.order_line_id for line in lines],
        "quantities": [line.quantity for line in lines],
        "accounts": [each.account_id for each in amounts],
        "unbilled": [each.unbilled for each in amounts],
        "receivable": [each.receivable for each in amounts],
    }
    complete = [row[0] for row in rows(BILL, params)]
    done = move(Order, "invoice", complete, invoiced_at=now)
    changes = [
        _change(head["id"], head | {"state": "shipped"}, "orders.invoice", "invoiced")
        for head in _heads(done)
    ]
    record(changes=changes, actor=None, now=now)


@transaction.atomic
def record_cash(*, changes: Sequence[CashChange], now: datetime) -> None:
    """Note on the accounts what cash came in against them.

    Locks the accounts in id order. Held orders are asked again by `reevaluate_credit_holds`.
    """
    accounts = [change.account_id for change in changes]
    lock([], accounts)
    params = {
        "accounts": accounts,
        "receivable": [change.receivable for change in changes],
        "unapplied": [change.unapplied for change in changes],
    }
    run(CASH, params)


@transaction.atomic
def record_overdue(*, accounts: Sequence[Overdue], now: datetime) -> int:
    """Note on the accounts what is past its due date, and how they paid; return how many changed.

    The credit check asks for it. Held orders are asked again by `reevaluate_credit_holds`.
    """
    params = {
        "accounts": [each.account_id for each in accounts],
        "amounts": [each.amount for each in accounts],
        "since": [each.since for each in accounts],
        "paid": [each.paid for each in accounts],
        "late": [each.late for each in accounts],
        "late_days": [each.late_days for each in accounts],
    }
    return run(OVERDUE, params)


@transaction.atomic
def close_orders(*, order_ids: Collection[int], now: datetime) -> list[int]:
    """Close invoiced orders of which all is paid; return those that closed now.

    The caller names only orders whose invoices are paid; those not fully invoiced stay open.

    Publishes:
        OrderClosed
    """
    closed = move(Order, "close", order_ids, closed_at=now)
    heads = _heads(closed)
    changes = [
        _change(head["id"], head | {"state": "invoiced"}, "orders.close", "closed")
        for head in heads
    ]
    record(changes=changes, actor=None, now=now)
    publish_all(
        [
            OrderClosed(order_id=head["id"], number=head["number"], entity_id=head["entity_id"])
            for head in heads
        ]
    )
    return closed


def _heads(order_ids: Sequence[int]) -> list[dict[str, Any]]:
    return records(HEADS, {"ids": list(order_ids)}) if order_ids else []


def _change(order_id: int, head: dict[str, Any], action: str, state: str) -> Change:
    return Change(
        entity_id=head["entity_id"],
        action=action,
        subject_kind="orders.order",
        subject_id=order_id,
        thread=f"orders.order:{order_id}",
        before={"state": head["state"]},
        after={"state": state},
    )
