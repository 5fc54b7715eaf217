"""Invoicing what has left: gap-free numbers, receivable against the accrual."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from erp.accounts.services import take_numbers
from erp.governance.services import Change, record
from erp.kernel.prepared import Prepared
from erp.kernel.sql import records, rows
from erp.kernel.states import move, sources_of, target_of
from erp.outbox.publishing import publish_all
from finance.events import InvoicePosted
from finance.models import Account, Invoice, JournalEntry
from finance.services._posting import Posting, post
from finance.services._settling import close_paid_orders
from orders.services import BilledAccount, InvoicedLine, record_invoiced

Purpose = Account.Purpose
SERIES = "INV"

# A draft is a work queue of its own: whoever skips a locked one finds it again at the next sweep.
CLAIM = """
    WITH draft AS MATERIALIZED (
        SELECT id, order_id, account_id FROM finance_invoice
        WHERE state = 'draft' {which}
        ORDER BY id LIMIT %(limit)s::int
        FOR NO KEY UPDATE {patience}
    ), account AS MATERIALIZED (
        SELECT a.id FROM orders_creditaccount a WHERE a.id IN (SELECT account_id FROM draft)
        ORDER BY a.id FOR NO KEY UPDATE
    ), document AS MATERIALIZED (
        SELECT o.id FROM orders_order o
        WHERE o.id IN (SELECT order_id FROM draft) AND (SELECT count(*) FROM account) >= 0
        ORDER BY o.id FOR NO KEY UPDATE
    )
    SELECT draft.id FROM draft JOIN document ON document.id = draft.order_id ORDER BY draft.id
"""
NAMED = Prepared(CLAIM.format(which="AND shipment_id = ANY(%(shipments)s::bigint[])", patience=""))
WAITING = CLAIM.format(which="", patience="SKIP LOCKED")
WAITING_OF = CLAIM.format(which="AND entity_id = %(entity)s", patience="SKIP LOCKED")

# Read once the locks are held: two invoices of one order must not both find the freight open.
READ = Prepared("""
    SELECT i.id, i.entity_id, e.code AS entity, i.account_id, i.order_id, i.shipment_id, i.currency,
           i.net, i.tax, l.lines, l.quantities,
           CASE WHEN row_number() OVER (PARTITION BY i.order_id ORDER BY i.id) = 1
                 AND NOT EXISTS (
                     SELECT FROM finance_invoice f
                     WHERE f.order_id = i.order_id AND f.state <> 'draft' AND f.freight > 0)
                THEN round(o.freight, 2) ELSE 0 END AS freight
    FROM finance_invoice i
    JOIN accounts_entity e ON e.id = i.entity_id
    JOIN orders_order o ON o.id = i.order_id
    CROSS JOIN LATERAL (
        SELECT array_agg(order_line_id) AS lines, array_agg(quantity) AS quantities
        FROM finance_invoiceline WHERE invoice_id = i.id
    ) AS l
    WHERE i.id = ANY(%(invoices)s::bigint[])
    ORDER BY i.id
""")

POST = Prepared("""
    UPDATE finance_invoice i
    SET state = %(target)s::text, number = n.number, freight = n.freight,
        total = i.net + n.freight + i.tax, posted_at = %(now)s::timestamptz,
        invoice_date = day.today, due_date = day.today + a.terms_days
    FROM unnest(%(invoices)s::bigint[], %(numbers)s::text[], %(freights)s::numeric[])
        AS n (id, number, freight)
    JOIN finance_invoice d ON d.id = n.id
    JOIN orders_creditaccount a ON a.id = d.account_id
    JOIN accounts_entity e ON e.id = d.entity_id
    CROSS JOIN LATERAL (
        SELECT (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date AS today
    ) AS day
    WHERE i.id = n.id AND i.state = ANY(%(sources)s::text[])
    RETURNING i.id
""")


@dataclass(frozen=True, slots=True)
class Invoiced:
    """One posted invoice, in whole cents of `currency`."""

    invoice_id: int
    number: str
    order_id: int
    shipment_id: int
    currency: str
    total: Decimal


@transaction.atomic
def invoice_shipments(
    *,
    shipment_ids: Sequence[int] | None,
    entity_id: int | None = None,
    limit: int = 500,
    now: datetime,
) -> list[Invoiced]:
    """Post the invoices of shipments that left; None takes the next that wait. Safe to repeat.

    `entity_id` narrows what waits.

    What was invoiced before is missing from the answer. Receivable against the accrual, and the
    order's freight, once, against freight income. Locks the drafts, the credit accounts, the
    orders, and the number series last.

    Raises:
        PeriodClosed: today's period is closed.

    Publishes:
        InvoicePosted
    """
    if shipment_ids is not None:
        claimed = rows(NAMED, {"shipments": [*shipment_ids], "limit": len(shipment_ids)})
    elif entity_id is None:
        claimed = rows(WAITING, {"limit": limit})
    else:
        claimed = rows(WAITING_OF, {"entity": entity_id, "limit": limit})
    if not claimed:
        return []
    drafts = records(READ, {"invoices": [row[0] for row in claimed]})
    _bill(drafts, now)
    numbers = _number(drafts)
    _post(drafts, numbers, now)
    invoiced = [
        Invoiced(
            invoice_id=draft["id"],
            number=numbers[draft["id"]],
            order_id=draft["order_id"],
            shipment_id=draft["shipment_id"],
            currency=draft["currency"],
            total=_total(draft),
        )
        for draft in drafts
    ]
    if nothing_owed := [each.invoice_id for each in invoiced if each.total == 0]:
        move(Invoice, "pay_all", nothing_owed, paid_at=now)
        close_paid_orders([each.order_id for each in invoiced if each.total == 0], now=now)
    _tell(drafts, invoiced, now)
    return invoiced


def _total(draft: Mapping[str, Any]) -> Decimal:
    return Decimal(draft["net"] + draft["freight"] + draft["tax"])


def _bill(drafts: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Tell orders which quantities are invoiced and what the accounts now owe."""
    quantities: dict[int, Decimal] = defaultdict(Decimal)
    unbilled: dict[int, Decimal] = defaultdict(Decimal)
    receivable: dict[int, Decimal] = defaultdict(Decimal)
    for draft in drafts:
        unbilled[draft["account_id"]] += draft["net"]
        receivable[draft["account_id"]] += _total(draft)
        for line, quantity in zip(draft["lines"], draft["quantities"], strict=True):
            quantities[line] += quantity
    record_invoiced(
        lines=[InvoicedLine(line, quantity) for line, quantity in sorted(quantities.items())],
        amounts=[
            BilledAccount(account, unbilled[account], receivable[account])
            for account in sorted(unbilled)
        ],
        now=now,
    )


def _number(drafts: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Take the next numbers of each entity's series, entities by id."""
    by_entity: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for draft in drafts:
        by_entity[draft["entity_id"]].append(draft)
    numbers = {}
    for entity_id, members in sorted(by_entity.items()):
        taken = take_numbers(entity_id=entity_id, series=SERIES, count=len(members))
        for draft, number in zip(members, taken, strict=True):
            numbers[draft["id"]] = f"{SERIES}-{draft['entity']}-{number:06d}"
    return numbers


def _post(drafts: Sequence[Mapping[str, Any]], numbers: Mapping[int, str], now: datetime) -> None:
    posted = rows(
        POST,
        {
            "now": now,
            "target": target_of(Invoice, "post"),
            "sources": sources_of(Invoice, "post"),
            "invoices": [draft["id"] for draft in drafts],
            "numbers": [numbers[draft["id"]] for draft in drafts],
            "freights": [draft["freight"] for draft in drafts],
        },
    )
    assert len(posted) == len(drafts), "a draft changed while it was locked"
    post(
        [
            Posting(
                entity_id=draft["entity_id"],
                kind=JournalEntry.Kind.INVOICE,
                cause_kind="finance.invoice",
                cause_id=draft["id"],
                lines=[
                    (Purpose.RECEIVABLE, _total(draft)),
                    (Purpose.UNBILLED, -draft["net"]),
                    (Purpose.FREIGHT, -draft["freight"]),
                ],
                memo=numbers[draft["id"]],
            )
            for draft in drafts
        ],
        actor=None,
        now=now,
    )


def _tell(drafts: Sequence[Mapping[str, Any]], invoiced: Sequence[Invoiced], now: datetime) -> None:
    publish_all(
        [
            InvoicePosted(
                invoice_id=each.invoice_id,
                number=each.number,
                entity_id=draft["entity_id"],
                order_id=each.order_id,
                total=str(each.total),
                currency=each.currency,
            )
            for draft, each in zip(drafts, invoiced, strict=True)
        ]
    )
    changes = [
        Change(
            entity_id=draft["entity_id"],
            action="finance.post_invoice",
            subject_kind="finance.invoice",
            subject_id=each.invoice_id,
            thread=f"orders.order:{each.order_id}",
            after={
                "number": each.number, "state": "posted",
                "total": str(each.total), "currency": each.currency,
            },
        )
        for draft, each in zip(drafts, invoiced, strict=True)
    ]  # fmt: skip
    record(changes=changes, actor=None, now=now)
