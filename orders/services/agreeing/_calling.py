"""Calls off from blanket orders: by hand, and on the day a delivery was planned for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.kernel.errors import DomainError
from erp.kernel.sql import rows
from erp.outbox.publishing import publish_all
from orders.events import CallOffFailed
from orders.models import Blanket, BlanketLine, CallOff
from orders.services._capturing import create_order
from orders.services._drafting import LineDraft, OrderDraft
from orders.services._locking import lock
from orders.services._refusing import BadReference
from orders.services._storing import CreatedOrder
from orders.services._submitting import submit_order
from orders.services.agreeing._writing import tell

TODAY = """
    SELECT (%(now)s::timestamptz AT TIME ZONE time_zone)::date
    FROM accounts_entity WHERE id = %(id)s
"""

DUE = """
    SELECT c.id FROM orders_calloff c
    JOIN orders_blanketline l ON l.id = c.line_id
    JOIN orders_blanket b ON b.id = l.blanket_id
    JOIN accounts_entity e ON e.id = b.entity_id
    WHERE c.state = 'planned' AND b.state = 'active'
      AND c.order_date <= (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date
    ORDER BY c.order_date, c.id LIMIT %(limit)s
"""


class NotActive(DomainError):
    """Only an active agreement is called off."""

    code: ClassVar[str] = "not_active"


class OutsidePeriod(DomainError):
    """The agreement holds from one day through another."""

    code: ClassVar[str] = "outside_period"


@dataclass(frozen=True, slots=True)
class CallOffPart:
    """So much of one line of the agreement, in base units."""

    line_id: int
    quantity: Decimal


@transaction.atomic
def call_off(
    *,
    blanket_id: int,
    parts: Sequence[CallOffPart],
    actor: User | None,
    now: datetime,
    requested_date: date | None = None,
    customer_po: str = "",
    client_key: str | None = None,
) -> CreatedOrder:
    """Make an ordinary order out of a part of what is committed, and submit it.

    Fixed prices are the agreement's, others the book's of today. The same `client_key` is the same
    order, once. Locks the account, then the agreement and its lines.

    Raises:
        Blanket.DoesNotExist: there is no such agreement.
        NotActive: it is not active.
        OutsidePeriod: its period has not begun, or is over.
        BadReference: a part names no line of it.
        MoreThanAgreed: it is more than is committed and tolerated.
        DraftRefused: the order cannot be taken as written.
    """
    account = Blanket.objects.values_list("account_id", flat=True).get(pk=blanket_id)
    lock([], [account])
    blanket = Blanket.objects.lock(blanket_id)
    if blanket.state != Blanket.State.ACTIVE:
        raise NotActive(f"{blanket.number} is {blanket.get_state_display().lower()}.")
    today: date = rows(TODAY, {"now": now, "id": blanket.entity_id})[0][0]
    if not blanket.valid_from <= today <= blanket.valid_until:
        said = f"from {blanket.valid_from} through {blanket.valid_until}"
        raise OutsidePeriod(f"{blanket.number} holds {said}.")
    lines = {line.pk: line for line in blanket.lines.all()}
    for place, part in enumerate(parts):
        if part.line_id not in lines:
            raise BadReference("The agreement has no such line.", f"lines[{place}].line")
    draft = OrderDraft(
        entity_id=blanket.entity_id,
        customer_id=blanket.customer_id,
        lines=[_line(blanket, lines[part.line_id], part.quantity) for part in parts],
        channel="blanket",
        customer_po=customer_po or blanket.customer_po,
        requested_date=requested_date,
        ship_to=blanket.ship_to,
        client_key=client_key,
    )
    made = create_order(draft=draft, actor=actor, now=now)
    if made.created:
        submit_order(order_id=made.id, actor=actor, now=now)
        tell(blanket, "call_off", actor, now, after={"order": made.number})
    return made


@transaction.atomic
def make_due_call_offs(*, now: datetime, limit: int = 100) -> list[int]:
    """Make the orders that are planned for today or before; return the rows that were dealt with.

    Each row makes its order once, whoever sweeps and however often. What is refused is a failed row
    with the reason, and a fact.

    Publishes:
        CallOffFailed
    """
    return [row[0] for row in rows(DUE, {"now": now, "limit": limit}) if _make(row[0], now)]


@transaction.atomic
def retry_call_off(*, call_off_id: int, actor: User | None, now: datetime) -> CallOff:
    """Plan a call-off that could not be made again, and make it if its day has come.

    One that is planned, or was made in the meantime, stays as it is.

    Raises:
        CallOff.DoesNotExist: there is no such call-off.
        NotActive: its agreement is not active any more.
    """
    blanket, row = _of(call_off_id)
    if blanket.state != Blanket.State.ACTIVE:
        raise NotActive(f"{blanket.number} is {blanket.get_state_display().lower()}.")
    if row.state == CallOff.State.FAILED:
        row.plan_again()
        row.save(update_fields=["state", "failure"])
        tell(blanket, "retry_call_off", actor, now, after={"due": row.due_date.isoformat()})
        if row.order_date <= rows(TODAY, {"now": now, "id": blanket.entity_id})[0][0]:
            _make(row.pk, now)
    return CallOff.objects.get(pk=call_off_id)


@transaction.atomic
def drop_call_off(*, call_off_id: int, actor: User | None, now: datetime) -> CallOff:
    """Take a planned or failed call-off out of the plan. Dropped or made, it stays as it is.

    Raises:
        CallOff.DoesNotExist: there is no such call-off.
    """
    blanket, row = _of(call_off_id)
    if row.state in {CallOff.State.PLANNED, CallOff.State.FAILED}:
        row.drop()
        row.save(update_fields=["state"])
        tell(blanket, "drop_call_off", actor, now, after={"due": row.due_date.isoformat()})
    return row


def _of(call_off_id: int) -> tuple[Blanket, CallOff]:
    """Return a call-off and its agreement, the account and both of them locked."""
    first = CallOff.objects.select_related("line__blanket").get(pk=call_off_id)
    lock([], [first.line.blanket.account_id])
    blanket = Blanket.objects.lock(first.line.blanket_id)
    return blanket, CallOff.objects.select_for_update().get(pk=call_off_id)


def _make(call_off_id: int, now: datetime) -> bool:
    """Make one planned row's order; false where somebody else just did."""
    first = CallOff.objects.select_related("line__blanket").get(pk=call_off_id)
    blanket = first.line.blanket
    lock([], [blanket.account_id])
    Blanket.objects.lock(blanket.pk)
    row = CallOff.objects.select_for_update().get(pk=call_off_id)
    if row.state != CallOff.State.PLANNED:
        return False
    try:
        with transaction.atomic():
            made = call_off(
                blanket_id=blanket.pk,
                parts=[CallOffPart(row.line_id, row.quantity)],
                requested_date=row.due_date,
                client_key=f"call-off:{row.pk}",
                actor=None,
                now=now,
            )
    except DomainError as refusal:
        row.fail(reason=str(refusal)[:300])
        row.save(update_fields=["state", "failure"])
        fact = CallOffFailed(
            call_off_id=row.pk,
            blanket_id=blanket.pk,
            number=blanket.number,
            entity_id=blanket.entity_id,
            reason=row.failure,
        )
        publish_all([fact])
        tell(blanket, "fail_call_off", None, now, after={"reason": row.failure})
        return True
    row.make(order_id=made.id, at=now)
    row.save(update_fields=["state", "order", "made_at", "failure"])
    return True


def _line(blanket: Blanket, line: BlanketLine, quantity: Decimal) -> LineDraft:
    return LineDraft(
        product_id=line.product_id,
        quantity=quantity,
        unit_price=line.unit_price,
        price_source=f"blanket order {blanket.number} line {line.position}",
        price_basis={"kind": "blanket", "blanket_line": line.pk},
    )
