"""Takes holds to work on, and gives them back."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from orders.models import Hold
from orders.services._checking import Case, cases_of
from orders.services._holding import refusals_of
from orders.services._locking import lock


@transaction.atomic
def claim_holds(*, order_ids: Collection[int], actor: User, now: datetime) -> list[int]:
    """Take the active holds of these orders that the person may lift; return those taken now.

    Who had one before loses it. Taking one's own again changes nothing. Locks the orders and the
    holds. Where nothing at all can be taken, the first refusal is raised, as `lift_hold` would.

    Raises:
        Order.DoesNotExist: there is no such order.
        NotHoldOwner: the person holds none of the owning roles.
        OwnOrder: the person wrote the order, or is the same employee as who did.
        DutyConflict: they raised this customer's limit, or changed a price or terms, lately.
    """
    holds, cases = _active(order_ids, now)
    refused: dict[int, DomainError] = refusals_of(holds, cases, actor, now)
    fit = [hold for hold in holds if hold.pk not in refused]
    if refused and not fit:
        raise next(iter(refused.values()))
    taken = [hold for hold in fit if hold.assigned_to_id != actor.pk]
    _assign(taken, cases, actor, actor, now)
    return [hold.pk for hold in taken]


@transaction.atomic
def give_back_holds(*, order_ids: Collection[int], actor: User, now: datetime) -> list[int]:
    """Give back the active holds of these orders that the person had taken; return those.

    Raises:
        Order.DoesNotExist: there is no such order.
    """
    holds, cases = _active(order_ids, now)
    mine = [hold for hold in holds if hold.assigned_to_id == actor.pk]
    _assign(mine, cases, None, actor, now)
    return [hold.pk for hold in mine]


def _active(order_ids: Collection[int], now: datetime) -> tuple[list[Hold], dict[int, Case]]:
    lock(order_ids)
    found = Hold.objects.select_for_update(of=["self"]).select_related("assigned_to")
    holds = list(found.filter(order_id__in=order_ids, state=Hold.State.ACTIVE).order_by("pk"))
    cases = {case.id: case for case in cases_of({hold.order_id for hold in holds}, now)}
    return holds, cases


def _assign(
    holds: Sequence[Hold], cases: dict[int, Case], to: User | None, actor: User, now: datetime
) -> None:
    changes = [
        Change(
            entity_id=cases[hold.order_id].entity_id,
            action="orders.claim_hold" if to else "orders.give_back_hold",
            subject_kind="orders.order",
            subject_id=hold.order_id,
            thread=f"orders.order:{hold.order_id}",
            before={"assigned_to": str(hold.assigned_to or "")},
            after={"hold": hold.kind, "assigned_to": str(to or "")},
        )
        for hold in holds
    ]
    Hold.objects.filter(pk__in=[hold.pk for hold in holds]).update(
        assigned_to=to, assigned_at=now if to else None
    )
    record(changes=changes, actor=actor, now=now)
