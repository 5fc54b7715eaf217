"""Posting cash and putting it on invoices."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Act, Change, record, refuse_conflict
from erp.kernel.errors import DomainError
from erp.kernel.prepared import Prepared
from erp.kernel.sql import records
from erp.outbox.publishing import publish_all
from finance.events import PaymentPosted
from finance.models import Account, JournalEntry
from finance.rules import AMOUNT_MAX, Owed, rounded
from finance.services._ageing import note_overdue
from finance.services._posting import Posting, post
from finance.services._settling import Applied, OpenInvoices, settle, tell_settled
from orders.services import CashChange, record_cash, reevaluate_credit_holds

Purpose = Account.Purpose
AHEAD_MAX = timedelta(days=1)  # east of UTC it is tomorrow already
REFERENCE_MAX = 100

LOCK = Prepared("""
    SELECT a.id, a.entity_id, a.customer_id, a.currency, e.currency AS books
    FROM orders_creditaccount a JOIN accounts_entity e ON e.id = a.entity_id
    WHERE (a.entity_id, a.customer_id) IN (
        SELECT * FROM unnest(%(entities)s::bigint[], %(customers)s::bigint[])
    )
    ORDER BY a.id FOR NO KEY UPDATE OF a
""")

KNOWN = Prepared("""
    SELECT p.id, p.number, p.entity_id, p.customer_id, p.reference, p.currency, p.amount,
           p.unapplied
    FROM unnest(%(entities)s::bigint[], %(customers)s::bigint[], %(references)s::text[])
        AS n (entity_id, customer_id, reference)
    JOIN finance_payment p
        ON p.entity_id = n.entity_id AND p.customer_id = n.customer_id AND p.reference = n.reference
""")

INSERT = Prepared("""
    INSERT INTO finance_payment
        (entity_id, customer_id, account_id, currency, amount, unapplied, received_date, reference,
         posted_at, posted_by_id)
    SELECT a.entity_id, a.customer_id, a.id, a.currency, n.amount, n.unapplied, n.received_date,
           n.reference, %(now)s::timestamptz, %(actor)s::bigint
    FROM unnest(
        %(accounts)s::bigint[], %(amounts)s::numeric[], %(unapplied)s::numeric[],
        %(received)s::date[], %(references)s::text[]
    ) WITH ORDINALITY AS n (account_id, amount, unapplied, received_date, reference, place)
    JOIN orders_creditaccount a ON a.id = n.account_id
    ORDER BY n.place
    RETURNING id, number, entity_id, customer_id, reference
""")


class NoAccount(DomainError):
    """The customer has no account with that entity."""

    code: ClassVar[str] = "finance.no_account"


class BadPayment(DomainError):
    """A payment's amount, date or reference makes no sense."""

    code: ClassVar[str] = "finance.bad_payment"


class ReferenceTaken(DomainError):
    """The reference was used for another amount."""

    code: ClassVar[str] = "finance.reference_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentDraft:
    """Cash that came in, in the account's currency, whole cents. `received_date` is the bank's.

    `allocations` are (invoice number, amount); None pays the oldest due first. What is left over
    stays unapplied.
    """

    entity_id: int
    customer_id: int
    amount: Decimal
    reference: str
    received_date: date
    allocations: Sequence[tuple[str, Decimal]] | None = None


@dataclass(frozen=True, slots=True)
class PostedPayment:
    """A payment as it stands; `created` is false when its reference was posted before."""

    payment_id: int
    number: str
    currency: str
    amount: Decimal
    unapplied: Decimal
    created: bool


@transaction.atomic
def post_payment(
    *,
    entity_id: int,
    customer_id: int,
    amount: Decimal,
    reference: str,
    received_date: date,
    allocations: Sequence[tuple[str, Decimal]] | None = None,
    actor: User | None,
    now: datetime,
) -> PostedPayment:
    """Post cash from a customer and put it on invoices, the oldest due first unless they are named.

    The batch of one: see `post_payments`.
    """
    draft = PaymentDraft(
        entity_id=entity_id,
        customer_id=customer_id,
        amount=amount,
        reference=reference,
        received_date=received_date,
        allocations=allocations,
    )
    return post_payments(payments=[draft], actor=actor, now=now)[0]


@transaction.atomic
def post_payments(
    *, payments: Sequence[PaymentDraft], actor: User | None, now: datetime
) -> list[PostedPayment]:
    """Post cash from customers, all or nothing; the answers are in the order given.

    The same reference from the same customer is the same payment. Closes orders that are then paid,
    and looks again at the credit holds of the accounts. Locks the accounts, then the orders.

    Raises:
        NoAccount, BadPayment, ReferenceTaken, UnknownInvoice, OverAllocated: as each says.
        PeriodClosed: the day it was received is in a closed period.
        SecondPersonNeeded: the person raised the customer's limit lately.
    """
    for payment in payments:
        _check(payment, now)
    accounts = _lock_accounts(payments)
    by_key = _known(payments)
    fresh = _fresh(payments, by_key)
    if fresh:
        acts = [_act(payment, accounts[_key(payment)[:2]]) for payment in fresh]
        refuse_conflict(actor=actor, duty="finance.post_payment", acts=acts, now=now)
        spread = _spread(fresh, accounts)
        left = [
            payment.amount - sum(each.amount for each in on)
            for payment, on in zip(fresh, spread, strict=True)
        ]
        rows = _insert(fresh, accounts, left, actor, now)
        posted = _answers(rows, fresh, accounts, left)
        _settle(posted, fresh, spread, accounts, actor=actor, now=now)
        by_key |= dict(zip(map(_key, fresh), posted, strict=True))
    return [by_key[_key(payment)] for payment in payments]


def _key(payment: PaymentDraft) -> tuple[int, int, str]:
    return payment.entity_id, payment.customer_id, payment.reference.strip()


def _act(payment: PaymentDraft, account: Mapping[str, Any]) -> Act:
    return Act(
        entity_id=payment.entity_id,
        kind="orders.customer",
        id=payment.customer_id,
        label=f"payment {payment.reference.strip()}",
        threads=[f"orders.customer:{payment.customer_id}"],
        amount=payment.amount,
        currency=account["currency"],
    )


def _check(payment: PaymentDraft, now: datetime) -> None:
    """Refuse what cannot be money received."""
    amount = payment.amount
    if not amount.is_finite() or not 0 < amount <= AMOUNT_MAX or rounded(amount) != amount:
        raise BadPayment(f"amount: {amount} is not a sum above zero in whole cents.")
    reference = payment.reference.strip()
    if not reference or len(reference) > REFERENCE_MAX or "\0" in reference:
        raise BadPayment("reference: give the bank's or the check's, up to 100 characters.")
    if payment.received_date > now.date() + AHEAD_MAX:
        raise BadPayment(f"received_date: {payment.received_date} has not come yet.")
    for number, part in payment.allocations or ():
        if not part.is_finite() or part <= 0 or rounded(part) != part:
            raise BadPayment(f"allocations: {part} on {number} is not a sum in whole cents.")


def _lock_accounts(payments: Sequence[PaymentDraft]) -> dict[tuple[int, int], dict[str, Any]]:
    keys = sorted({(p.entity_id, p.customer_id) for p in payments})
    found = records(LOCK, {"entities": [k[0] for k in keys], "customers": [k[1] for k in keys]})
    accounts = {(a["entity_id"], a["customer_id"]): a for a in found}
    if len(accounts) < len(keys):
        raise NoAccount("customer: has no account with this entity.")
    for account in found:
        if account["currency"] != account["books"]:
            raise BadPayment(
                f"currency: the account is in {account['currency']}, the books are in "
                f"{account['books']}, and there is no rate to post it at."
            )
    return accounts


def _known(payments: Sequence[PaymentDraft]) -> dict[tuple[int, int, str], PostedPayment]:
    """Return those posted before. The accounts are locked, so nobody is posting them now."""
    keys = [_key(payment) for payment in payments]
    found = records(
        KNOWN,
        {
            "entities": [k[0] for k in keys],
            "customers": [k[1] for k in keys],
            "references": [k[2] for k in keys],
        },
    )
    return {
        (p["entity_id"], p["customer_id"], p["reference"]): PostedPayment(
            p["id"], p["number"], p["currency"], p["amount"], p["unapplied"], created=False
        )
        for p in found
    }


def _fresh(
    payments: Sequence[PaymentDraft], known: Mapping[tuple[int, int, str], PostedPayment]
) -> list[PaymentDraft]:
    """Return those not posted before, one for each reference."""
    fresh: dict[tuple[int, int, str], PaymentDraft] = {}
    for payment in payments:
        same = known.get(_key(payment)) or fresh.get(_key(payment))
        if same is None:
            fresh[_key(payment)] = payment
        elif same.amount != payment.amount:
            raise ReferenceTaken(
                f"reference: {payment.reference.strip()} was posted with {same.amount:,.2f}."
            )
    return list(fresh.values())


def _spread(
    payments: Sequence[PaymentDraft], accounts: Mapping[tuple[int, int], Mapping[str, Any]]
) -> list[list[Owed]]:
    """Decide which invoices each payment goes on: those with names first, then by age."""
    cash: dict[int, Decimal] = defaultdict(Decimal)
    for p in payments:
        cash[accounts[p.entity_id, p.customer_id]["id"]] += p.amount
    invoices = OpenInvoices(cash, {number for p in payments for number, _ in p.allocations or ()})
    spread: dict[int, list[Owed]] = {}
    for by_name in (True, False):
        for place, p in enumerate(payments):
            account = accounts[p.entity_id, p.customer_id]["id"]
            if by_name and p.allocations is not None:
                spread[place] = invoices.take_named(account, p.amount, p.allocations)
            elif not by_name and p.allocations is None:
                spread[place] = invoices.take_oldest(account, p.amount)
    return [spread[place] for place in range(len(payments))]


def _insert(
    payments: Sequence[PaymentDraft],
    accounts: Mapping[tuple[int, int], Mapping[str, Any]],
    left: Sequence[Decimal],
    actor: User | None,
    now: datetime,
) -> dict[tuple[int, int, str], tuple[int, str]]:
    inserted = records(
        INSERT,
        {
            "now": now,
            "actor": None if actor is None else actor.pk,
            "accounts": [accounts[p.entity_id, p.customer_id]["id"] for p in payments],
            "amounts": [p.amount for p in payments],
            "unapplied": [*left],
            "received": [p.received_date for p in payments],
            "references": [p.reference.strip() for p in payments],
        },
    )
    return {
        (r["entity_id"], r["customer_id"], r["reference"]): (r["id"], r["number"]) for r in inserted
    }


def _answers(
    rows: Mapping[tuple[int, int, str], tuple[int, str]],
    payments: Sequence[PaymentDraft],
    accounts: Mapping[tuple[int, int], Mapping[str, Any]],
    left: Sequence[Decimal],
) -> list[PostedPayment]:
    return [
        PostedPayment(
            *rows[_key(p)], accounts[p.entity_id, p.customer_id]["currency"], p.amount, rest,
            created=True,
        )
        for p, rest in zip(payments, left, strict=True)
    ]  # fmt: skip


def _settle(
    posted: Sequence[PostedPayment],
    payments: Sequence[PaymentDraft],
    spread: Sequence[Sequence[Owed]],
    accounts: Mapping[tuple[int, int], Mapping[str, Any]],
    *,
    actor: User | None,
    now: datetime,
) -> None:
    """Put the cash where it was decided, in the ledger and on the accounts."""
    applied = [
        Applied(each.payment_id, owed.invoice_id, owed.amount)
        for each, on in zip(posted, spread, strict=True)
        for owed in on
    ]
    settled = settle(applied, now=now)
    post(
        [
            Posting(
                entity_id=draft.entity_id,
                kind=JournalEntry.Kind.PAYMENT,
                cause_kind="finance.payment",
                cause_id=each.payment_id,
                lines=[
                    (Purpose.BANK, each.amount),
                    (Purpose.RECEIVABLE, each.unapplied - each.amount),
                    (Purpose.UNAPPLIED, -each.unapplied),
                ],
                memo=f"{each.number} {draft.reference.strip()}",
                date=draft.received_date,
            )
            for each, draft in zip(posted, payments, strict=True)
        ],
        actor=actor,
        now=now,
    )
    receivable: dict[int, Decimal] = defaultdict(Decimal)
    unapplied: dict[int, Decimal] = defaultdict(Decimal)
    for each, draft in zip(posted, payments, strict=True):
        account = accounts[draft.entity_id, draft.customer_id]["id"]
        receivable[account] += each.amount - each.unapplied
        unapplied[account] += each.unapplied
    changes = [CashChange(a, receivable[a], unapplied[a]) for a in sorted(receivable)]
    record_cash(changes=changes, now=now)
    note_overdue(account_ids=sorted(receivable), now=now)
    tell_settled(settled, actor=actor, now=now)
    _tell(posted, payments, actor, now)
    reevaluate_credit_holds(account_ids=sorted(receivable), cause="payment", now=now)


def _tell(
    posted: Sequence[PostedPayment],
    payments: Sequence[PaymentDraft],
    actor: User | None,
    now: datetime,
) -> None:
    publish_all(
        [
            PaymentPosted(
                payment_id=each.payment_id,
                number=each.number,
                entity_id=draft.entity_id,
                customer_id=draft.customer_id,
                amount=str(each.amount),
                currency=each.currency,
            )
            for each, draft in zip(posted, payments, strict=True)
        ]
    )
    changes = [
        Change(
            entity_id=draft.entity_id,
            action="finance.post_payment",
            subject_kind="finance.payment",
            subject_id=each.payment_id,
            thread=f"finance.payment:{each.payment_id}",
            after={
                "number": each.number, "amount": str(each.amount), "currency": each.currency,
                "unapplied": str(each.unapplied), "reference": draft.reference.strip(),
            },
        )
        for each, draft in zip(posted, payments, strict=True)
    ]  # fmt: skip
    record(changes=changes, actor=actor, now=now)
