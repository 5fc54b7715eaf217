"""Writes blanket orders, plans their call-offs, and ends them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.quantity import QUANTITY_MAX, STEP
from erp.kernel.sql import rows
from erp.kernel.states import move
from erp.outbox.publishing import publish_all
from inventory.models import Product
from orders.events import BlanketEnded
from orders.models import Blanket, BlanketLine, CallOff, CreditAccount
from orders.rules import AMOUNT_MAX, is_exact
from orders.services._locking import lock
from orders.services._refusing import CustomerNotServed, DraftRefused, UnknownProduct

LINES_MAX = 200
CALL_OFFS_MAX = 2_000
PRICE_STEP = Decimal("0.0001")
RATE_STEP = Decimal("0.000001")

OVERDUE = """
    SELECT b.id FROM orders_blanket b JOIN accounts_entity e ON e.id = b.entity_id
    WHERE b.state = 'active'
      AND b.valid_until < (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date
    ORDER BY b.id LIMIT %(limit)s
    FOR NO KEY UPDATE OF b SKIP LOCKED
"""


class BadAgreement(DraftRefused):
    """A blanket order cannot be as it was written, or not any more."""

    code = "bad_agreement"


@dataclass(frozen=True, slots=True)
class BlanketLineDraft:
    """One product: `quantity` in base units or `value` in the account's currency, or both.

    `unit_price` none: the book's price of each call-off's day. `tolerance` is a share of one.
    """

    product_id: int
    quantity: Decimal | None = None
    value: Decimal | None = None
    unit_price: Decimal | None = None
    tolerance: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class BlanketDraft:
    """One agreement. The same `client_key` in one entity is the same agreement, once."""

    entity_id: int
    customer_id: int
    valid_from: date
    valid_until: date
    lines: Sequence[BlanketLineDraft]
    customer_po: str = ""
    ship_to: Mapping[str, Any] = field(default_factory=dict)
    client_key: str | None = None


@dataclass(frozen=True, slots=True)
class CallOffDraft:
    """One delivery planned: of which line (its position), how much in base units, when."""

    position: int
    due_date: date
    quantity: Decimal
    order_date: date


@transaction.atomic
def write_blanket(*, draft: BlanketDraft, actor: User | None, now: datetime) -> Blanket:
    """Write a blanket order as a draft. Locks the account.

    Raises:
        CustomerNotServed: the customer has no account with the entity.
        BadAgreement: its period, lines or figures make no agreement; `errors` names the field.
        UnknownProduct: a line names no product.
    """
    account = CreditAccount.objects.filter(
        entity_id=draft.entity_id, customer_id=draft.customer_id
    ).first()
    if account is None:
        raise CustomerNotServed("The customer has no account with this entity.", "customer")
    _refuse(draft)
    lock([], [account.pk])
    key = draft.client_key or None
    known = Blanket.objects.filter(entity_id=draft.entity_id, client_key=key).first()
    if key and known:
        return known
    made = Blanket.objects.create(
        entity_id=draft.entity_id,
        customer_id=draft.customer_id,
        account=account,
        client_key=key,
        customer_po=draft.customer_po[:60],
        currency=account.currency,
        valid_from=draft.valid_from,
        valid_until=draft.valid_until,
        ship_to=dict(draft.ship_to),
        created_at=now,
        created_by=actor,
    )
    BlanketLine.objects.bulk_create(
        BlanketLine(
            blanket=made,
            position=place,
            product_id=line.product_id,
            quantity=line.quantity,  # type: ignore[misc]
            value=line.value,
            unit_price=line.unit_price,
            tolerance=line.tolerance,
        )
        for place, line in enumerate(draft.lines, 1)
    )
    made = Blanket.objects.get(pk=made.pk)
    tell(made, "write_blanket", actor, now, after={"lines": len(draft.lines)})
    return made


@transaction.atomic
def activate_blanket(*, blanket_id: int, actor: User | None, now: datetime) -> Blanket:
    """Let a blanket order be called off. Activated again, it stays.

    Raises:
        Blanket.DoesNotExist: there is no such agreement.
        BadAgreement: it has ended.
    """
    blanket = Blanket.objects.lock(blanket_id)
    if blanket.state == Blanket.State.ACTIVE:
        return blanket
    if blanket.state != Blanket.State.DRAFT:
        raise BadAgreement(f"{blanket.number} is {blanket.get_state_display().lower()}.", "state")
    blanket.activate(at=now)
    blanket.save(update_fields=["state", "activated_at"])
    tell(blanket, "activate_blanket", actor, now)
    return blanket


@transaction.atomic
def schedule_call_offs(
    *, blanket_id: int, call_offs: Sequence[CallOffDraft], actor: User | None, now: datetime
) -> list[CallOff]:
    """Plan deliveries; each becomes an order on its day. What was planned before stays.

    Raises:
        Blanket.DoesNotExist: there is no such agreement.
        BadAgreement: it has ended, or one is outside its period, or no quantity of a line of it.
    """
    blanket = Blanket.objects.lock(blanket_id)
    if blanket.state not in {Blanket.State.DRAFT, Blanket.State.ACTIVE}:
        raise BadAgreement(f"{blanket.number} is {blanket.get_state_display().lower()}.", "state")
    lines = {line.position: line for line in blanket.lines.all()}
    planned = CallOff.objects.filter(line__blanket=blanket).count()
    if not 0 < len(call_offs) <= CALL_OFFS_MAX - planned:
        raise BadAgreement(f"Plan one to {CALL_OFFS_MAX:,} call-offs in all.", "call_offs")
    for place, each in enumerate(call_offs):
        _refuse_call_off(blanket, each, lines, f"call_offs[{place}]")
    made = CallOff.objects.bulk_create(
        CallOff(
            line=lines[each.position],
            due_date=each.due_date,
            order_date=each.order_date,
            quantity=each.quantity,
        )
        for each in call_offs
    )
    tell(blanket, "schedule_call_offs", actor, now, after={"call_offs": len(made)})
    return made


@transaction.atomic
def end_blanket(*, blanket_id: int, reason: str, actor: User | None, now: datetime) -> Blanket:
    """End an agreement before its time: nothing more is called off. Ended again, it stays.

    Raises:
        Blanket.DoesNotExist: there is no such agreement.

    Publishes:
        BlanketEnded
    """
    blanket = Blanket.objects.lock(blanket_id)
    if blanket.state not in {Blanket.State.DRAFT, Blanket.State.ACTIVE}:
        return blanket
    said = reason.strip()[:300]
    if blanket.state == Blanket.State.DRAFT:
        blanket.cancel(at=now, reason=said)
    else:
        blanket.close(at=now, reason=said)
    blanket.save(update_fields=["state", "ended_at", "end_reason"])
    _finish([blanket], "end_blanket", actor, now)
    publish_all([BlanketEnded(**_facts(blanket))])
    return blanket


@transaction.atomic
def expire_blankets(*, now: datetime, limit: int = 200) -> list[int]:
    """End the agreements whose period is over by their entity's calendar; safe to repeat.

    Publishes:
        BlanketEnded
    """
    ids = [row[0] for row in rows(OVERDUE, {"now": now, "limit": limit})]
    move(Blanket, "expire", ids, ended_at=now)
    expired = list(Blanket.objects.filter(pk__in=ids).order_by("pk"))
    _finish(expired, "expire_blanket", None, now)
    publish_all([BlanketEnded(**_facts(blanket)) for blanket in expired])
    return ids


def tell(
    blanket: Blanket,
    action: str,
    actor: User | None,
    now: datetime,
    *,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write the audit entry of one change of an agreement."""
    change = Change(
        entity_id=blanket.entity_id,
        action=f"orders.{action}",
        subject_kind="orders.blanket",
        subject_id=blanket.pk,
        thread=f"orders.blanket:{blanket.pk}",
        after={"number": blanket.number, "state": str(blanket.state), **(after or {})},
        reason=blanket.end_reason,
    )
    record(changes=[change], actor=actor, now=now)


def _finish(blankets: Sequence[Blanket], action: str, actor: User | None, now: datetime) -> None:
    waiting = CallOff.objects.filter(
        line__blanket__in=blankets, state__in=[CallOff.State.PLANNED, CallOff.State.FAILED]
    )
    move(CallOff, "drop", list(waiting.values_list("pk", flat=True)))
    for blanket in blankets:
        tell(blanket, action, actor, now, after={"open": _facts(blanket)["open"]})


def _facts(blanket: Blanket) -> dict[str, Any]:
    """Return what the fact about an agreement's end says: how much was promised and not taken."""
    sums = blanket.lines.filter(quantity__isnull=False).aggregate(
        all=Sum("quantity"), got=Sum("called")
    )
    left = (sums["all"] or Decimal(0)) - (sums["got"] or Decimal(0))
    return {
        "blanket_id": blanket.pk,
        "number": blanket.number,
        "entity_id": blanket.entity_id,
        "open": f"{max(left, Decimal(0)):f}",
    }


def _refuse(draft: BlanketDraft) -> None:
    if draft.valid_until < draft.valid_from:
        raise BadAgreement("It ends before it begins.", "valid_until")
    if not 0 < len(draft.lines) <= LINES_MAX:
        raise BadAgreement(f"Write one to {LINES_MAX} lines.", "lines")
    ids = {line.product_id for line in draft.lines}
    known = set(Product.objects.filter(pk__in=ids).values_list("pk", flat=True))
    for place, line in enumerate(draft.lines):
        field_name = f"lines[{place}]"
        if line.product_id not in known:
            raise UnknownProduct("There is no such product.", f"{field_name}.product")
        if line.quantity is None and line.value is None:
            raise BadAgreement("Commit a quantity or a value.", f"{field_name}.quantity")
        limits = (
            ("quantity", line.quantity, STEP, QUANTITY_MAX, False),
            ("value", line.value, PRICE_STEP, AMOUNT_MAX, False),
            ("price", line.unit_price, PRICE_STEP, AMOUNT_MAX, True),
            ("tolerance", line.tolerance, RATE_STEP, Decimal(1), True),
        )
        for name, number, step, most, may_be_zero in limits:
            if number is None:
                continue
            if not is_exact(number, step, most) or number < 0 or not (number or may_be_zero):
                raise BadAgreement("That is no such figure.", f"{field_name}.{name}")


def _refuse_call_off(
    blanket: Blanket, each: CallOffDraft, lines: Mapping[int, BlanketLine], at: str
) -> None:
    if each.position not in lines:
        raise BadAgreement("The agreement has no such line.", f"{at}.line")
    if not is_exact(each.quantity, STEP, QUANTITY_MAX) or each.quantity <= 0:
        raise BadAgreement("A quantity is above zero, to a thousandth.", f"{at}.quantity")
    if not blanket.valid_from <= each.order_date <= each.due_date <= blanket.valid_until:
        raise BadAgreement("It is ordered, then due, within the period.", f"{at}.due_date")
