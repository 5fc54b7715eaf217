"""Keeps customers, their accounts and addresses."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, Personal, record, refuse_conflict
from erp.kernel.errors import DomainError
from erp.kernel.sql import records
from erp.kernel.sql import rows as query
from orders.models import CreditAccount, Customer
from orders.services._chaining import limit_acts
from orders.services._classing import reclass_orders
from orders.services._holding import ReasonMissing
from orders.services._locking import lock
from orders.services._reevaluating import reevaluate_credit_holds

PERSONAL = frozenset({"contact", "email", "phone", "address"})

# Rows that are as they should be already are left alone, and are not in the answer.
CUSTOMERS = """
    INSERT INTO orders_customer AS t (
        code, name, tier, country, address, city, region, postal_code, contact, email, phone,
        tax_id, is_blocked, ship_complete, no_split, no_substitutes, created_at
    )
    SELECT c.*, %(now)s FROM unnest(
        %(code)s::text[], %(name)s::text[], %(tier)s::text[], %(country)s::text[],
        %(address)s::text[], %(city)s::text[], %(region)s::text[], %(postal_code)s::text[],
        %(contact)s::text[], %(email)s::text[], %(phone)s::text[], %(tax_id)s::text[],
        %(is_blocked)s::boolean[], %(ship_complete)s::boolean[], %(no_split)s::boolean[],
        %(no_substitutes)s::boolean[]
    ) AS c
    ON CONFLICT (code) DO UPDATE SET
        name = excluded.name, tier = excluded.tier, country = excluded.country,
        address = excluded.address, city = excluded.city, region = excluded.region,
        postal_code = excluded.postal_code, contact = excluded.contact, email = excluded.email,
        phone = excluded.phone, tax_id = excluded.tax_id, is_blocked = excluded.is_blocked,
        ship_complete = excluded.ship_complete, no_split = excluded.no_split,
        no_substitutes = excluded.no_substitutes
    WHERE (t.name, t.tier, t.country, t.address, t.city, t.region, t.postal_code, t.contact,
           t.email, t.phone, t.tax_id, t.is_blocked, t.ship_complete, t.no_split, t.no_substitutes)
        IS DISTINCT FROM
          (excluded.name, excluded.tier, excluded.country, excluded.address, excluded.city,
           excluded.region, excluded.postal_code, excluded.contact, excluded.email,
           excluded.phone, excluded.tax_id, excluded.is_blocked, excluded.ship_complete,
           excluded.no_split, excluded.no_substitutes)
    RETURNING id, code AS label, NULL::bigint AS entity_id, xmax = 0 AS is_new,
        'orders.customer:' || id AS thread,
        CASE WHEN old.id IS NOT NULL THEN jsonb_build_object(
            'name', old.name, 'tier', old.tier, 'blocked', old.is_blocked, 'contact', old.contact,
            'email', old.email, 'phone', old.phone, 'address', old.address) END AS before,
        jsonb_build_object(
            'code', new.code, 'name', new.name, 'tier', new.tier, 'blocked', new.is_blocked,
            'contact', new.contact, 'email', new.email, 'phone', new.phone,
            'address', new.address) AS after
"""

ACCOUNTS = """
    INSERT INTO orders_creditaccount AS t (
        entity_id, customer_id, currency, credit_limit, terms_days, penalty_rate, on_hold,
        receivable, unbilled, committed, unapplied, overdue_amount, agreed_terms_days
    )
    SELECT a.*, false, 0, 0, 0, 0, 0, a.terms_days FROM unnest(
        %(entity_id)s::bigint[], %(customer_id)s::bigint[], %(currency)s::text[],
        %(credit_limit)s::numeric[], %(terms_days)s::int[], %(penalty_rate)s::numeric[]
    ) AS a (entity_id, customer_id, currency, credit_limit, terms_days, penalty_rate)
    ON CONFLICT (customer_id, entity_id) DO UPDATE SET
        credit_limit = excluded.credit_limit, terms_days = excluded.terms_days,
        penalty_rate = excluded.penalty_rate
    WHERE (t.credit_limit, t.terms_days, t.penalty_rate)
        IS DISTINCT FROM (excluded.credit_limit, excluded.terms_days, excluded.penalty_rate)
    RETURNING id, customer_id AS label, entity_id, xmax = 0 AS is_new,
        'orders.customer:' || customer_id AS thread,
        CASE WHEN old.id IS NOT NULL THEN jsonb_build_object(
            'credit_limit', old.credit_limit::text, 'terms_days', old.terms_days,
            'penalty_rate', old.penalty_rate::text) END AS before,
        jsonb_build_object('credit_limit', new.credit_limit::text, 'currency', new.currency,
                           'terms_days', new.terms_days,
                           'penalty_rate', new.penalty_rate::text) AS after,
        CASE WHEN new.credit_limit > coalesce(old.credit_limit, 0) THEN 'orders.raise_limit' END
            AS action
"""

IN_ANOTHER_CURRENCY = """
    SELECT c.code, a.currency
    FROM unnest(%(entity_id)s::bigint[], %(customer_id)s::bigint[], %(currency)s::text[])
        AS w (entity_id, customer_id, currency)
    JOIN orders_creditaccount a
        ON a.entity_id = w.entity_id AND a.customer_id = w.customer_id
    JOIN orders_customer c ON c.id = a.customer_id
    WHERE a.currency <> w.currency
"""

SHIP_TOS = """
    INSERT INTO orders_shipto AS t (
        customer_id, code, name, address, city, region, postal_code, country
    )
    SELECT s.* FROM unnest(
        %(customer_id)s::bigint[], %(code)s::text[], %(name)s::text[], %(address)s::text[],
        %(city)s::text[], %(region)s::text[], %(postal_code)s::text[], %(country)s::text[]
    ) AS s
    ON CONFLICT (customer_id, code) DO UPDATE SET
        name = excluded.name, address = excluded.address, city = excluded.city,
        region = excluded.region, postal_code = excluded.postal_code, country = excluded.country
    WHERE (t.name, t.address, t.city, t.region, t.postal_code, t.country) IS DISTINCT FROM
          (excluded.name, excluded.address, excluded.city, excluded.region,
           excluded.postal_code, excluded.country)
    RETURNING id, code AS label, NULL::bigint AS entity_id, xmax = 0 AS is_new,
        'orders.customer:' || customer_id AS thread,
        jsonb_build_object('code', code, 'name', name, 'city', city) AS after
"""


class CurrencyFixed(DomainError):
    """An account keeps its currency: what is owed on it is in that."""

    code: ClassVar[str] = "currency_fixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRow:
    """A customer as it should be. `code` says which."""

    code: str
    name: str
    tier: str = "C"
    country: str = ""
    address: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    contact: str = ""
    email: str = ""
    phone: str = ""
    tax_id: str = ""
    is_blocked: bool = False
    ship_complete: bool = False
    no_split: bool = False
    no_substitutes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """The terms of one customer in one entity, as they should be."""

    entity_id: int
    customer_id: int
    currency: str
    credit_limit: Decimal = Decimal(0)
    terms_days: int = 30
    penalty_rate: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipToRow:
    """One address of a customer, as it should be."""

    customer_id: int
    code: str
    name: str
    address: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""


@transaction.atomic
def upsert_customers(
    *, rows: Sequence[CustomerRow], actor: User | None, now: datetime
) -> dict[str, int]:
    """Bring customers to what `rows` say, new or known by code; return those that changed, by code.

    Two statements. Of rows with the same code the last counts.
    """
    changed = _upsert(CUSTOMERS, list({row.code: row for row in rows}.values()), now)
    _record(changed, "customer", actor, now)
    known = [each["id"] for each in changed if not each["is_new"]]
    if known:
        reclass_orders(customer_ids=known, cause="The customer changed", now=now)
    return {each["label"]: each["id"] for each in changed}


@transaction.atomic
def save_customer(
    *, row: CustomerRow, terms: AccountRow | None = None, actor: User | None, now: datetime
) -> int:
    """Bring one customer, and their account in one entity, to what is said; return the customer.

    `terms` are the customer's whatever its `customer_id` says.

    Raises:
        CurrencyFixed: the account is kept in another currency.
    """
    upsert_customers(rows=[row], actor=actor, now=now)
    customer_id = Customer.objects.values_list("pk", flat=True).get(code=row.code)
    if terms is not None:
        own = replace(terms, customer_id=customer_id)
        upsert_accounts(rows=[own], actor=actor, now=now)
    return int(customer_id)


@transaction.atomic
def upsert_accounts(*, rows: Sequence[AccountRow], actor: User | None, now: datetime) -> list[int]:
    """Bring accounts to what `rows` say; return those that changed.

    Credit has agreed to the payment terms of a new account; to longer ones it agrees anew
    (`agree_credit`). Orders held on the credit of a changed account are asked again.

    Raises:
        CurrencyFixed: an account is kept in another currency.
        DutyConflict: a limit goes up for orders that the person wrote.
    """
    wanted = list({(row.entity_id, row.customer_id): row for row in rows}.values())
    for code, currency in _query(IN_ANOTHER_CURRENCY, wanted):
        raise CurrencyFixed(f"The account of {code} is kept in {currency}.")
    if actor is not None:
        raised = limit_acts([(w.entity_id, w.customer_id, w.credit_limit) for w in wanted])
        refuse_conflict(actor=actor, duty="orders.raise_limit", acts=raised, now=now)
    changed = _upsert(ACCOUNTS, wanted, now)
    _record(changed, "account", actor, now)
    known = [each["id"] for each in changed if not each["is_new"]]
    reevaluate_credit_holds(account_ids=known, cause="The credit terms changed", now=now)
    return [each["id"] for each in changed]


@transaction.atomic
def upsert_ship_tos(
    *, rows: Sequence[ShipToRow], actor: User | None, now: datetime
) -> dict[str, int]:
    """Bring addresses of customers to what `rows` say; return those that changed, by code."""
    wanted = {(row.customer_id, row.code): row for row in rows}
    changed = _upsert(SHIP_TOS, list(wanted.values()), now)
    _record(changed, "ship_to", actor, now)
    return {each["label"]: each["id"] for each in changed}


@transaction.atomic
def hold_account(
    *, account_id: int, on_hold: bool, actor: User | None, reason: str, now: datetime
) -> None:
    """Stop the credit of one account, or let it go on: then its held orders are asked again.

    Doing it again changes nothing. Locks the account.

    Raises:
        CreditAccount.DoesNotExist: there is no such account.
        ReasonMissing: no reason is given.
    """
    if not reason.strip():
        raise ReasonMissing("Say why.")
    lock([], [account_id])
    account = CreditAccount.objects.get(pk=account_id)
    if account.on_hold == on_hold:
        return
    account.on_hold = on_hold
    account.save(update_fields=["on_hold"])
    change = Change(
        entity_id=account.entity_id,
        action="orders.hold_account" if on_hold else "orders.unhold_account",
        subject_kind="orders.account",
        subject_id=account_id,
        thread=f"orders.customer:{account.customer_id}",
        before={"on_hold": not on_hold},
        after={"on_hold": on_hold},
        reason=reason.strip()[:300],
    )
    record(changes=[change], actor=actor, now=now)
    if not on_hold:
        reevaluate_credit_holds(account_ids=[account_id], cause=reason.strip(), now=now)


def _upsert(statement: str, wanted: Sequence[Any], now: datetime) -> list[dict[str, Any]]:
    return records(statement, {**_columns(wanted), "now": now}) if wanted else []


def _record(
    changed: Sequence[dict[str, Any]], what: str, actor: User | None, now: datetime
) -> None:
    """Write one entry per row that changed, in the story of its customer or product."""
    changes = [
        Change(
            entity_id=each["entity_id"],
            action=each.get("action") or f"orders.{'add' if each['is_new'] else 'change'}_{what}",
            subject_kind=f"orders.{what}",
            subject_id=each["id"],
            thread=each["thread"],
            before=_read(each.get("before"), each["thread"]),
            after=_read(each["after"], each["thread"]),
        )
        for each in changed
    ]
    record(changes=changes, actor=actor, now=now)


def _read(said: Any, thread: str) -> Any:
    """Read a JSON column, which a raw cursor leaves as text; who stands in it can be erased."""
    values = json.loads(said) if isinstance(said, str) else said
    for name in PERSONAL & (values or {}).keys():
        values[name] = values[name] and Personal(thread, values[name])
    return values


def _query(statement: str, wanted: Sequence[Any]) -> list[tuple[Any, ...]]:
    return query(statement, _columns(wanted)) if wanted else []


def _columns(wanted: Sequence[Any]) -> dict[str, list[Any]]:
    """Return one list per field of the rows' dataclass."""
    names = [field.name for field in fields(wanted[0])] if wanted else []
    return {name: [getattr(row, name) for row in wanted] for name in names}
