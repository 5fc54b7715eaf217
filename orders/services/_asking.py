"""Sensitive values: within tolerance they change at once, beyond it somebody else must agree."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.models import ChangeRequest
from erp.governance.services import (
    Change,
    Decision,
    Effect,
    EffectKind,
    Personal,
    Question,
    ValueMoved,
    applies_changes,
    decide,
    record,
    request_change,
)
from erp.kernel.errors import DomainError
from erp.kernel.sql import records
from orders.models import CreditAccount, Customer
from orders.services._mastering import AccountRow, CustomerRow, upsert_accounts, upsert_customers
from orders.services._repricing import PriceRow, refuse_unfit, upsert_prices

POLICY = "orders.sensitive_change"
PRICE, ACCOUNT, CUSTOMER = "orders.price", "orders.account", "orders.customer"
OF_CUSTOMER = ("tax_id", "bank_account")
TERMS = ("credit_limit", "terms_days", "penalty_rate")
SHARE_STEP = Decimal("0.0001")
ROWS_MAX = 5_000
EFFECTS_SHOWN = 12

# What a price replaces: the one of its series on that day, else what the default list says.
NOW = """
    SELECT own.id, own.revision, own.unit_price AS own_price, listed.unit_price AS list_price,
           p.code AS product, coalesce(c.code, g.code, '') AS owner
    FROM unnest(
        %(entity_id)s::bigint[], %(product_id)s::bigint[], %(kind)s::text[],
        %(customer_id)s::bigint[], %(group_id)s::bigint[], %(price_list_id)s::bigint[],
        %(currency)s::text[], %(uom)s::text[], %(min_quantity)s::numeric[], %(valid_from)s::date[]
    ) WITH ORDINALITY AS k (
        entity_id, product_id, kind, customer_id, group_id, price_list_id, currency, uom,
        min_quantity, day, place
    )
    JOIN inventory_product p ON p.id = k.product_id
    LEFT JOIN orders_customer c ON c.id = k.customer_id
    LEFT JOIN orders_customergroup g ON g.id = k.group_id
    LEFT JOIN orders_price own
        ON own.product_id = k.product_id AND own.entity_id = k.entity_id AND own.kind = k.kind
        AND own.customer_id IS NOT DISTINCT FROM k.customer_id
        AND own.group_id IS NOT DISTINCT FROM k.group_id
        AND own.price_list_id IS NOT DISTINCT FROM k.price_list_id
        AND own.currency = k.currency AND own.uom = k.uom AND own.min_quantity = k.min_quantity
        AND own.valid_from <= k.day AND (own.valid_until IS NULL OR own.valid_until > k.day)
    LEFT JOIN LATERAL (
        SELECT r.unit_price FROM orders_price r
        WHERE k.kind <> 'list' AND r.kind = 'list' AND r.price_list_id IS NULL
          AND r.product_id = k.product_id AND r.entity_id = k.entity_id
          AND r.currency = k.currency AND r.min_quantity <= k.min_quantity
          AND r.uom IN ('', k.uom) AND r.valid_from <= k.day
          AND (r.valid_until IS NULL OR r.valid_until > k.day)
        ORDER BY r.uom = '', r.min_quantity DESC, r.id LIMIT 1
    ) AS listed ON true
    ORDER BY k.place
"""


class TooManyPrices(DomainError):
    """More prices than one change may hold."""

    code: ClassVar[str] = "too_many_prices"


@dataclass(frozen=True, slots=True)
class PriceOutcome:
    """What became of a change of prices: those written now, and what waits for agreement."""

    changed: list[int]
    waiting: list[ChangeRequest]
    asked: int


@transaction.atomic
def change_prices(
    *, rows: Sequence[PriceRow], actor: User | None, now: datetime, reason: str = ""
) -> PriceOutcome:
    """Change prices: at once where the policy's tolerance allows it, else by a change request.

    Prices that wait go together in one request per company. They apply only if each is still what
    it was when it was asked for.

    Raises:
        TooManyPrices: more than 5,000.
        BadPrice: a price cannot be kept as written.
        PriceChanged: a price is not what its author looked at.
    """
    if len(rows) > ROWS_MAX:
        raise TooManyPrices(f"Change at most {ROWS_MAX:,} prices at once: narrow the filter.")
    for row in rows:
        refuse_unfit(row)
    if not rows:
        return PriceOutcome([], [], 0)
    known = _now(rows)
    decisions = _price_decisions(rows, known, now)
    free = [row for row, said in zip(rows, decisions, strict=True) if not said.outcome["approval"]]
    changed = upsert_prices(rows=free, actor=actor, now=now, reason=reason) if free else []
    held: dict[tuple[int, str], list[tuple[PriceRow, Mapping[str, Any], Decision]]] = {}
    for row, was, said in zip(rows, known, decisions, strict=True):
        if said.outcome["approval"]:
            key = (row.entity_id, str(said.outcome["permission"]))
            held.setdefault(key, []).append((row, was, said))
    waiting = [_ask_for_prices(group, actor, reason, now) for group in held.values()]
    return PriceOutcome(changed, waiting, sum(len(group) for group in held.values()))


@transaction.atomic
def request_customer_changes(
    *,
    customer_id: int,
    entity_id: int,
    wanted: Mapping[str, Any],
    reason: str,
    actor: User | None,
    now: datetime,
) -> list[ChangeRequest]:
    """Ask for other terms or another tax number; return the requests that wait.

    `wanted` holds credit_limit, terms_days, penalty_rate, tax_id, bank_account: what is as it
    stands is left out.
    What the policy lets through changes at once.

    Raises:
        Customer.DoesNotExist: there is no such customer.
        CreditAccount.DoesNotExist: they have no account with that entity.
    """
    customer = Customer.objects.get(pk=customer_id)
    account = CreditAccount.objects.get(customer_id=customer_id, entity_id=entity_id)
    moved = [
        (name, _value(account if name in TERMS else customer, name), wanted[name])
        for name in (*TERMS, *OF_CUSTOMER)
        if name in wanted
    ]
    moved = [(name, before, after) for name, before, after in moved if before != after]
    questions = [
        Question(entity_id, CUSTOMER, customer_id, _facts(name, before, after))
        for name, before, after in moved
    ]
    decisions = decide(policy=POLICY, questions=questions, now=now) if moved else []
    waiting = []
    for (name, before, after), said in zip(moved, decisions, strict=True):
        target = account if name in TERMS else customer
        if not said.outcome["approval"]:
            _write(target, name, after, actor, now)
            continue
        waiting.append(
            request_change(
                entity_id=entity_id,
                document_kind=ACCOUNT if name in TERMS else CUSTOMER,
                document_id=target.pk,
                label=_label(customer, name, before, after),
                thread=f"{CUSTOMER}:{customer_id}",
                field=name,
                before=_text(before),
                after=_text(after),
                reason=reason,
                permission=str(said.outcome["permission"]),
                role=str(said.outcome["role"]),
                requested_by=actor,
                amount=after if name == "credit_limit" else Decimal(0),
                currency=account.currency if name == "credit_limit" else "",
                policy_version=said.policy_version,
                effects=_more_owed(before, after, account.currency, name),
                now=now,
            )
        )
    return waiting


def _more_owed(before: Any, after: Any, currency: str, name: str) -> list[Effect]:
    """Say by how much more, or less, may be owed."""
    if name != "credit_limit":
        return []
    said = "More may be owed by" if after > before else "Less may be owed by"
    return [Effect(EffectKind.MONEY, said, abs(after - before), currency)]


def _label(customer: Customer, name: str, before: Any, after: Any) -> str:
    """Say what is to change in the inbox; of a bank account its end alone."""
    said = [_text(each) or "none" for each in (before, after)]
    if name == "bank_account":
        said = [f"…{each[-4:]}" for each in said]
    return f"{customer.code} {name.replace('_', ' ')}: {' → '.join(said)}"


@applies_changes(PRICE)
def write_agreed_prices(change: ChangeRequest, actor: User, now: datetime) -> None:
    """Write prices that were agreed to. PriceChanged where one is no longer what it was."""
    rows = [_from_text(each) for each in change.payload["rows"]]
    upsert_prices(rows=rows, actor=actor, now=now, reason=f"{change.reason} (agreed)".strip())


@applies_changes(ACCOUNT)
def write_agreed_terms(change: ChangeRequest, actor: User, now: datetime) -> None:
    """Write terms of an account that were agreed to. Locks the account."""
    account = CreditAccount.objects.select_for_update().get(pk=change.document_id)
    _agreed(account, change, actor, now)


@applies_changes(CUSTOMER)
def write_agreed_identity(change: ChangeRequest, actor: User, now: datetime) -> None:
    """Write a tax number or bank account that was agreed to. Locks the customer."""
    customer = Customer.objects.select_for_update().get(pk=change.document_id)
    _agreed(customer, change, actor, now)


def _agreed(
    target: CreditAccount | Customer, change: ChangeRequest, actor: User, now: datetime
) -> None:
    value = _value(target, change.field)
    if _text(value) != change.before:
        raise ValueMoved(f"It is {_text(value) or 'empty'} by now: ask again.")
    kind = type(value)
    _write(target, change.field, kind(change.after), actor, now)


def _write(
    target: CreditAccount | Customer, name: str, value: Any, actor: User | None, now: datetime
) -> None:
    """Write one field through the service that keeps the record."""
    if isinstance(target, CreditAccount):
        kept = {each.name: getattr(target, each.name) for each in fields(AccountRow)}
        upsert_accounts(rows=[AccountRow(**kept | {name: value})], actor=actor, now=now)
        target.refresh_from_db()
        return
    if name == "bank_account":
        _write_bank_account(target, value, actor, now)
        return
    kept = {each.name: getattr(target, each.name) for each in fields(CustomerRow)}
    upsert_customers(rows=[CustomerRow(**kept | {name: value})], actor=actor, now=now)


def _write_bank_account(target: Customer, value: str, actor: User | None, now: datetime) -> None:
    """Write where money is paid back to; the number itself stands beside the trail."""
    before, target.bank_account = target.bank_account, value
    target.save(update_fields=["bank_account"])
    subject = f"{CUSTOMER}:{target.pk}"
    change = Change(
        entity_id=None,
        action="orders.change_bank_account",
        subject_kind=CUSTOMER,
        subject_id=target.pk,
        thread=subject,
        before={"bank_account": before and Personal(subject, before)},
        after={"bank_account": value and Personal(subject, value)},
    )
    record(changes=[change], actor=actor, now=now)


def _value(target: CreditAccount | Customer, name: str) -> Any:
    value = getattr(target, name)
    return value.normalize() if isinstance(value, Decimal) else value


def _text(value: Any) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _facts(name: str, before: Any, after: Any) -> dict[str, Any]:
    share = None
    if isinstance(before, Decimal | int) and before:
        share = abs((Decimal(after) - before) / before).quantize(SHARE_STEP)
    return {"field": name, "kind": "", "share": share, "rows": 1}


def _now(rows: Sequence[PriceRow]) -> list[dict[str, Any]]:
    names = (
        "entity_id", "product_id", "kind", "customer_id", "group_id", "price_list_id", "currency",
        "uom", "min_quantity", "valid_from",
    )  # fmt: skip
    return records(NOW, {name: [getattr(row, name) for row in rows] for name in names})


def _price_decisions(
    rows: Sequence[PriceRow], known: Sequence[Mapping[str, Any]], now: datetime
) -> list[Decision]:
    questions = []
    for row, was in zip(rows, known, strict=True):
        before = was["list_price"] if was["own_price"] is None else was["own_price"]
        share = None
        if before is not None:
            moved = abs(row.unit_price - before)
            share = Decimal(1) if not before and moved else moved / (before or 1)
        facts = {"field": "unit_price", "kind": row.kind, "share": share, "rows": len(rows)}
        questions.append(Question(row.entity_id, PRICE, was["id"] or 0, facts))
    return decide(policy=POLICY, questions=questions, now=now)


def _ask_for_prices(
    group: Sequence[tuple[PriceRow, Mapping[str, Any], Decision]],
    actor: User | None,
    reason: str,
    now: datetime,
) -> ChangeRequest:
    """Ask for agreement to prices that go together; what they were is part of the question."""
    row, was, said = group[0]
    lines = [(each, known) for each, known, _ in group]
    before = {_name(each, known): _was(known) for each, known in lines}
    after = {_name(each, known): _text(each.unit_price) for each, known in lines}
    label = f"{_name(row, was)}: {_was(was)} → {_text(row.unit_price)} {row.currency}"
    if len(group) > 1:
        label = f"{len(group)} prices, {_name(row, was)} among them"
    keys = sorted(repr((each.key, each.valid_from)) for each, _ in lines)
    return request_change(
        entity_id=row.entity_id,
        document_kind=PRICE,
        document_id=int.from_bytes(hashlib.blake2b("".join(keys).encode(), digest_size=7).digest()),
        label=label,
        thread=f"inventory.product:{row.product_id}" if len(group) == 1 else f"{PRICE}s",
        field="unit_price",
        before=before,
        after=after,
        payload={"rows": [_as_text(replace(each, seen=_seen(known))) for each, known in lines]},
        reason=reason,
        permission=str(said.outcome["permission"]),
        role=str(said.outcome["role"]),
        requested_by=actor,
        currency=row.currency,
        consequence=f"{label}. {reason}"[:300],
        policy_version=said.policy_version,
        effects=_price_effects(lines),
        now=now,
    )


def _price_effects(lines: Sequence[tuple[PriceRow, Mapping[str, Any]]]) -> list[Effect]:
    """Name the prices that move, the furthest first, and by how much a base unit each."""

    def moved(line: tuple[PriceRow, Mapping[str, Any]]) -> Decimal:
        row, known = line
        return Decimal(row.unit_price - (known["own_price"] or known["list_price"] or 0))

    ordered = sorted(lines, key=lambda line: -abs(moved(line)))
    shown = [
        Effect(
            EffectKind.CHANGE,
            f"{_name(row, known)}: {_was(known)} → {_text(row.unit_price)}",
            moved((row, known)),
            row.currency,
        )
        for row, known in ordered[:EFFECTS_SHOWN]
    ]
    if len(lines) > EFFECTS_SHOWN:
        shown.append(Effect(EffectKind.CHANGE, f"and {len(lines) - EFFECTS_SHOWN} more prices"))
    return shown


def _seen(known: Mapping[str, Any]) -> str:
    return "0" if known["id"] is None else f"{known['id']}.{known['revision']}"


def _was(known: Mapping[str, Any]) -> str:
    return "none" if known["own_price"] is None else _text(known["own_price"])


def _name(row: PriceRow, known: Mapping[str, Any]) -> str:
    """Name a price among those of a request: product, whose it is, break, first day."""
    parts = [known["product"], known["owner"], row.uom]
    parts.append(f"from {_text(row.min_quantity)}" if row.min_quantity else "")
    return " ".join(part for part in [*parts, f"{row.valid_from:%Y-%m-%d}"] if part)


def _as_text(row: PriceRow) -> dict[str, Any]:
    values = {each.name: getattr(row, each.name) for each in fields(row)}
    return {
        name: str(value) if isinstance(value, Decimal | date) else value
        for name, value in values.items()
    }


def _from_text(raw: Mapping[str, Any]) -> PriceRow:
    until = raw["valid_until"]
    values = dict(raw) | {
        "unit_price": Decimal(raw["unit_price"]),
        "min_quantity": Decimal(raw["min_quantity"]),
        "valid_from": date.fromisoformat(raw["valid_from"]),
        "valid_until": until and date.fromisoformat(until),
    }
    return PriceRow(**values)
