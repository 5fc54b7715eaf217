"""Putting cash that was left over on invoices later."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Act, Change, record, refuse_conflict
from erp.kernel.errors import DomainError
from erp.kernel.sql import records, run
from finance.models import Account, JournalEntry, Payment
from finance.rules import Owed, rounded
from finance.services._ageing import note_overdue
from finance.services._posting import Posting, post
from finance.services._settling import (
    Applied,
    OpenInvoices,
    OverAllocated,
    settle,
    tell_settled,
)
from orders.services import CashChange, record_cash, reevaluate_credit_holds

Purpose = Account.Purpose

LOCK_ACCOUNT = "SELECT id FROM orders_creditaccount WHERE id = %s FOR NO KEY UPDATE"
LOCK_PAYMENT = """
    SELECT id, number, entity_id, customer_id, account_id, currency, unapplied
    FROM finance_payment WHERE id = %s
    FOR NO KEY UPDATE
"""
USE = "UPDATE finance_payment SET unapplied = unapplied - %s WHERE id = %s"


class UnknownPayment(DomainError):
    """There is no such payment."""

    code: ClassVar[str] = "finance.unknown_payment"


class NothingToApply(DomainError):
    """The payment has nothing left, or nothing is open to put it on."""

    code: ClassVar[str] = "finance.nothing_to_apply"


@transaction.atomic
def allocate_payment(
    *,
    payment_id: int,
    allocations: Sequence[tuple[str, Decimal]] | None = None,
    actor: User | None,
    now: datetime,
) -> Decimal:
    """Put the unapplied rest of a payment on invoices; return how much was put there.

    The oldest due first, or (invoice number, amount) as named. Posted today. Closes orders that are
    then paid. Locks the account, then the payment, then the orders.

    Raises:
        UnknownPayment: there is none.
        NothingToApply: nothing is left of it, or nothing is open.
        UnknownInvoice, OverAllocated: a named invoice is not open, or not for so much.
        SecondPersonNeeded: the person raised the customer's limit lately.
    """
    account = Payment.objects.filter(pk=payment_id).values_list("account_id", flat=True).first()
    if account is None:
        raise UnknownPayment("There is no such payment.")
    run(LOCK_ACCOUNT, [account])
    payment = records(LOCK_PAYMENT, [payment_id])[0]
    refuse_conflict(actor=actor, duty="finance.allocate_payment", acts=[_act(payment)], now=now)
    left: Decimal = payment["unapplied"]
    taken = _taken(payment, allocations)
    settled = settle([Applied(payment_id, each.invoice_id, each.amount) for each in taken], now=now)
    moved = sum((each.amount for each in taken), Decimal(0))
    run(USE, [moved, payment_id])
    post(
        [
            Posting(
                entity_id=payment["entity_id"],
                kind=JournalEntry.Kind.PAYMENT,
                cause_kind="finance.allocation",
                cause_id=each.allocation_id,
                lines=[(Purpose.UNAPPLIED, each.amount), (Purpose.RECEIVABLE, -each.amount)],
                memo=f"{payment['number']} on {each.number}",
            )
            for each in settled
        ],
        actor=actor,
        now=now,
    )
    record_cash(changes=[CashChange(account, moved, -moved)], now=now)
    note_overdue(account_ids=[account], now=now)
    after = {"unapplied": str(left - moved), "on": [each.number for each in settled]}
    record(changes=[_change(payment, after)], actor=actor, now=now)
    tell_settled(settled, actor=actor, now=now)
    reevaluate_credit_holds(account_ids=[account], cause="payment", now=now)
    return moved


def _taken(
    payment: Mapping[str, Any], allocations: Sequence[tuple[str, Decimal]] | None
) -> list[Owed]:
    """Decide where the rest of the payment goes."""
    account, left = payment["account_id"], payment["unapplied"]
    if not left:
        raise NothingToApply(f"Nothing is left of {payment['number']}.")
    for number, part in allocations or ():
        if not part.is_finite() or part <= 0 or rounded(part) != part:
            raise OverAllocated(f"allocations: {part} on {number} is not a sum in whole cents.")
    invoices = OpenInvoices({account: left}, {number for number, _ in allocations or ()})
    if allocations is None:
        taken = invoices.take_oldest(account, left)
    else:
        taken = invoices.take_named(account, left, allocations)
    if not taken:
        raise NothingToApply("The customer has no open invoice.")
    return taken


def _act(payment: Mapping[str, Any]) -> Act:
    return Act(
        entity_id=payment["entity_id"],
        kind="finance.payment",
        id=payment["id"],
        label=payment["number"],
        threads=[f"finance.payment:{payment['id']}", f"orders.customer:{payment['customer_id']}"],
        amount=payment["unapplied"],
        currency=payment["currency"],
    )


def _change(payment: Mapping[str, Any], after: Mapping[str, Any]) -> Change:
    return Change(
        entity_id=payment["entity_id"],
        action="finance.allocate_payment",
        subject_kind="finance.payment",
        subject_id=payment["id"],
        thread=f"finance.payment:{payment['id']}",
        before={"unapplied": str(payment["unapplied"])},
        after=after,
    )
