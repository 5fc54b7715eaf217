"""Locks in the one order everybody keeps: accounts by id, then orders by id (ADR 0008)."""

from collections.abc import Collection, Sequence

from django.db import transaction

from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from orders.models import Order

LOCK = Prepared("""
    WITH accounts AS MATERIALIZED (
        SELECT a.id FROM orders_creditaccount a
        WHERE a.id IN (SELECT account_id FROM orders_order WHERE id = ANY(%(orders)s))
           OR a.id = ANY(%(accounts)s)
        ORDER BY a.id
        FOR NO KEY UPDATE
    )
    SELECT o.id FROM orders_order o
    WHERE o.id = ANY(%(orders)s) AND (SELECT count(*) FROM accounts) >= 0
    ORDER BY o.id
    FOR NO KEY UPDATE
""")


@transaction.atomic
def lock_orders(*, order_ids: Collection[int], account_ids: Sequence[int] = ()) -> None:
    """Lock the orders and their accounts (and `account_ids`) until the transaction ends.

    Whoever changes an order and what it reserves calls this before any stock is locked. One
    statement.

    Raises:
        Order.DoesNotExist: there is no such order.
    """
    lock(order_ids, account_ids)


def lock(order_ids: Collection[int], account_ids: Sequence[int] = ()) -> None:
    """Lock as `lock_orders` does, in the transaction that is open.

    Raises:
        Order.DoesNotExist: there is no such order.
    """
    wanted = sorted(set(order_ids))
    found = rows(LOCK, {"orders": wanted, "accounts": list(account_ids)})
    if len(found) != len(wanted):
        raise Order.DoesNotExist("There is no such order.")
