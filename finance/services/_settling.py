"""Putting cash on invoices: what is open, what becomes paid, and which orders that closes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.prepared import Prepared
from erp.kernel.sql import records, rows
from erp.kernel.states import sources_of, target_of
from erp.outbox.publishing import publish_all
from finance.events import InvoicePaid
from finance.models import Invoice
from finance.rules import Owed, oldest_first
from orders.services import close_orders

# The oldest that so much cash can reach, and those that somebody named.
OWED = Prepared("""
    SELECT i.id, i.account_id, i.number, i.open
    FROM (
        SELECT id, account_id, number, due_date, total - paid AS open,
               sum(total - paid) OVER (PARTITION BY account_id ORDER BY due_date, id) AS upto
        FROM finance_invoice
        WHERE account_id = ANY(%(accounts)s::bigint[]) AND state IN ('posted', 'partly_paid')
    ) AS i
    JOIN unnest(%(accounts)s::bigint[], %(cash)s::numeric[]) AS c (account_id, cash)
        ON c.account_id = i.account_id
    WHERE i.upto - i.open < c.cash OR i.number = ANY(%(named)s::text[])
    ORDER BY i.account_id, i.due_date, i.id
""")

APPLY = Prepared("""
    WITH applied AS (
        INSERT INTO finance_paymentallocation (payment_id, invoice_id, amount, at)
        SELECT n.payment_id, n.invoice_id, n.amount, %(now)s::timestamptz
        FROM unnest(%(payments)s::bigint[], %(invoices)s::bigint[], %(amounts)s::numeric[])
            WITH ORDINALITY AS n (payment_id, invoice_id, amount, place)
        ORDER BY n.place
        RETURNING id, payment_id, invoice_id, amount
    ), total AS (
        SELECT invoice_id, sum(amount) AS amount FROM applied GROUP BY invoice_id
    ), paid AS (
        UPDATE finance_invoice i
        SET paid = i.paid + t.amount,
            state = CASE WHEN i.paid + t.amount = i.total
                         THEN %(all)s::text ELSE %(some)s::text END,
            paid_at = CASE WHEN i.paid + t.amount = i.total THEN %(now)s::timestamptz END
        FROM total t
        WHERE i.id = t.invoice_id AND i.state = ANY(%(sources)s::text[])
        RETURNING i.id, i.number, i.entity_id, i.order_id, i.state, i.paid, i.total, i.currency
    )
    SELECT applied.id AS allocation_id, applied.payment_id, applied.amount, paid.*
    FROM applied JOIN paid ON paid.id = applied.invoice_id
    ORDER BY applied.id
""")

CLOSABLE = Prepared("""
    SELECT o.id FROM orders_order o
    WHERE o.id = ANY(%(orders)s::bigint[]) AND o.state = 'invoiced'
      AND NOT EXISTS (SELECT FROM finance_invoice i WHERE i.order_id = o.id AND i.state <> 'paid')
    ORDER BY o.id FOR NO KEY UPDATE
""")


class UnknownInvoice(DomainError):
    """No open invoice of the customer has that number."""

    code: ClassVar[str] = "finance.unknown_invoice"


class OverAllocated(DomainError):
    """More is put on invoices than they or the payment hold."""

    code: ClassVar[str] = "finance.over_allocated"


@dataclass(frozen=True, slots=True)
class Applied:
    """So much of one payment to put on one invoice."""

    payment_id: int
    invoice_id: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Settled:
    """One allocation as it was written, and its invoice after it."""

    allocation_id: int
    payment_id: int
    amount: Decimal
    id: int
    number: str
    entity_id: int
    order_id: int
    state: str
    paid: Decimal
    total: Decimal
    currency: str


class OpenInvoices:
    """What is open on the invoices of locked accounts, and what this call has taken of it."""

    def __init__(self, cash: Mapping[int, Decimal], named: Iterable[str]) -> None:
        self.open: dict[int, dict[int, Decimal]] = defaultdict(dict)
        self.ids: dict[tuple[int, str], int] = {}
        params = {"accounts": [*cash], "cash": [*cash.values()], "named": sorted(named)}
        for row in records(OWED, params):
            self.open[row["account_id"]][row["id"]] = row["open"]
            self.ids[row["account_id"], row["number"]] = row["id"]

    def take_oldest(self, account: int, cash: Decimal) -> list[Owed]:
        owed = [Owed(i, amount) for i, amount in self.open[account].items() if amount > 0]
        return self._taken(account, oldest_first(cash, owed))

    def take_named(
        self, account: int, cash: Decimal, named: Sequence[tuple[str, Decimal]]
    ) -> list[Owed]:
        wanted: dict[int, Decimal] = defaultdict(Decimal)
        for number, amount in named:
            if (account, number) not in self.ids:
                raise UnknownInvoice(f"allocations: {number} is not open at this customer.")
            wanted[self.ids[account, number]] += amount
            still = self.open[account][self.ids[account, number]]
            if wanted[self.ids[account, number]] > still:
                raise OverAllocated(f"allocations: only {still:,.2f} is open on {number}.")
        if sum(wanted.values()) > cash:
            raise OverAllocated(
                f"allocations: the payment has only {cash:,.2f} to put on invoices."
            )
        return self._taken(account, [Owed(i, amount) for i, amount in wanted.items()])

    def _taken(self, account: int, taken: list[Owed]) -> list[Owed]:
        for each in taken:
            self.open[account][each.invoice_id] -= each.amount
        return taken


def settle(applied: Sequence[Applied], *, now: datetime) -> list[Settled]:
    """Write allocations and what they make of their invoices, in one statement.

    The callers hold the accounts' locks. The journal and the accounts are theirs to post.
    """
    if not applied:
        return []
    written = records(
        APPLY,
        {
            "now": now,
            "all": target_of(Invoice, "pay_all"),
            "some": target_of(Invoice, "pay_some"),
            "sources": sources_of(Invoice, "pay_all"),
            "payments": [each.payment_id for each in applied],
            "invoices": [each.invoice_id for each in applied],
            "amounts": [each.amount for each in applied],
        },
    )
    assert len(written) == len(applied), "an invoice changed while its account was locked"
    return [Settled(**row) for row in written]


def tell_settled(settled: Sequence[Settled], *, actor: User | None, now: datetime) -> None:
    """Publish and record what became of the invoices, and close the orders that are paid."""
    invoices = {each.id: each for each in settled}  # an invoice paid twice counts once
    if not invoices:
        return
    done = [each for each in invoices.values() if each.state == Invoice.State.PAID]
    publish_all(
        [
            InvoicePaid(
                invoice_id=each.id,
                number=each.number,
                entity_id=each.entity_id,
                order_id=each.order_id,
            )
            for each in done
        ]
    )
    changes = [
        Change(
            entity_id=each.entity_id,
            action="finance.pay_invoice",
            subject_kind="finance.invoice",
            subject_id=each.id,
            thread=f"orders.order:{each.order_id}",
            after={
                "number": each.number, "state": each.state,
                "paid": str(each.paid), "total": str(each.total), "currency": each.currency,
            },
        )
        for each in invoices.values()
    ]  # fmt: skip
    record(changes=changes, actor=actor, now=now)
    close_paid_orders([each.order_id for each in done], now=now)


def close_paid_orders(order_ids: Iterable[int], *, now: datetime) -> None:
    """Close those of the orders that are invoiced in full and whose invoices are all paid."""
    wanted = sorted({*order_ids})
    if not wanted:
        return
    closable = [row[0] for row in rows(CLOSABLE, {"orders": wanted})]
    if closable:
        close_orders(order_ids=closable, now=now)
