"""Asks that credit agrees to other terms of an account: limits for a time, insurance, rules."""

from dataclasses import asdict, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from erp.accounts.models import User
from erp.governance.models import ChangeRequest
from erp.governance.services import (
    Question,
    ValueMoved,
    applies_changes,
    decide,
    request_change,
)
from orders.models import CreditAccount, Customer
from orders.services._asking import POLICY
from orders.services._crediting import CreditTerms, agree_credit, refuse_terms
from orders.services._holding import ReasonMissing

CREDIT = "orders.credit"
FIELD = "credit_terms"
AMOUNTS = {"temporary_limit", "order_limit", "insured_amount"}
DAYS = {"temporary_from", "temporary_until", "limit_until", "insured_until"}


@transaction.atomic
def request_credit_terms(
    *, account_id: int, terms: CreditTerms, reason: str, actor: User | None, now: datetime
) -> ChangeRequest | None:
    """Ask for these terms of an account; none waits where nothing changes or nobody is to agree.

    What differs goes together in one request; agreed to, all of it is written, and the orders that
    wait for credit are asked again. Asking for something else replaces what waits.

    Raises:
        CreditAccount.DoesNotExist: there is no such account.
        ReasonMissing: no reason is given.
        BadCreditTerms: an amount is negative, or a temporary limit has not its first and last day.
        DutyConflict: nobody is to agree, and more may be owed for orders that the person wrote.
    """
    if not reason.strip():
        raise ReasonMissing("Say why.")
    refuse_terms(terms)
    account = CreditAccount.objects.get(pk=account_id)
    before, after = as_text(CreditTerms.of(account)), as_text(terms)
    moved = [name for name in after if after[name] != before[name]]
    if not moved:
        return None
    facts = {"field": FIELD, "kind": "", "share": None, "rows": len(moved)}
    question = Question(account.entity_id, "orders.account", account_id, facts)
    said = decide(policy=POLICY, questions=[question], now=now)[0]
    if not said.outcome["approval"]:
        agree_credit(account_id=account_id, terms=terms, actor=actor, reason=reason, now=now)
        return None
    code = Customer.objects.values_list("code", flat=True).get(pk=account.customer_id)
    shown = "; ".join(
        f"{name.replace('_', ' ')} {before[name] or 'none'} → {after[name] or 'none'}"
        for name in moved
    )
    return request_change(
        entity_id=account.entity_id,
        document_kind=CREDIT,
        document_id=account_id,
        label=f"{code} credit: {shown}"[:120],
        thread=f"orders.customer:{account.customer_id}",
        field=FIELD,
        before={name: before[name] for name in moved},
        after={name: after[name] for name in moved},
        reason=reason,
        permission=str(said.outcome["permission"]),
        role=str(said.outcome["role"]),
        requested_by=actor,
        amount=max(terms.temporary_limit, account.credit_limit) + terms.insured_amount,
        currency=account.currency,
        policy_version=said.policy_version,
        now=now,
    )


@applies_changes(CREDIT)
def write_agreed_credit(change: ChangeRequest, actor: User, now: datetime) -> None:
    """Write terms that were agreed to. ValueMoved where one is no longer what it was."""
    account = CreditAccount.objects.get(pk=change.document_id)
    standing = as_text(CreditTerms.of(account))
    before, after = dict(change.before or {}), dict(change.after or {})
    for name, value in before.items():
        if standing[name] != value:
            said = name.replace("_", " ").capitalize()
            raise ValueMoved(f"{said} is {standing[name] or 'empty'} by now: ask again.")
    terms = from_text(standing | after)
    agree_credit(
        account_id=account.pk,
        terms=terms,
        actor=actor,
        reason=f"{change.reason} (agreed)".strip(),
        now=now,
    )


def as_text(terms: CreditTerms) -> dict[str, str]:
    """Return terms as plain text by field; what is not set is empty."""
    return {name: _plain(value) for name, value in asdict(terms).items()}


def from_text(values: dict[str, str]) -> CreditTerms:
    """Return the terms that `as_text` wrote."""
    read: dict[str, Any] = {}
    for each in fields(CreditTerms):
        text = values[each.name]
        if each.name in AMOUNTS:
            read[each.name] = Decimal(text or 0)
        elif each.name in DAYS:
            read[each.name] = date.fromisoformat(text) if text else None
        else:
            read[each.name] = int(text) if text else None
    return CreditTerms(**read)


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else ""
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)
