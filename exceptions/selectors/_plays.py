"""The ways out of a case, as one person may take them."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from erp.accounts.models import RoleAssignment, User
from exceptions.models import ExceptionCase, PlayRequest
from exceptions.rules.plays import Play, barred, ranked
from exceptions.selectors._coming_plays import change_plays, damaged_plays, stockout_plays
from exceptions.selectors._hold_plays import hold_plays
from exceptions.selectors._house_plays import conflict_plays, period_plays, price_plays
from exceptions.selectors._moving_plays import (
    delivery_plays,
    expiring_plays,
    failed_plays,
    overdue_plays,
    transfer_plays,
)
from exceptions.selectors._other_plays import billing_plays, replay_plays, short_pick_plays
from exceptions.selectors._shortage_plays import shortage_plays
from exceptions.selectors._supply_plays import approval_plays, late_plays
from inventory import permissions as inventory_permissions

PRICED: Mapping[str, Callable[[ExceptionCase, datetime], list[Play]]] = {
    "orders.line": shortage_plays,
    "orders.hold": hold_plays,
    "inventory.shipment_line": short_pick_plays,
    "outbox.delivery": replay_plays,
}
PRICED_BY_TYPE: Mapping[str, Callable[[ExceptionCase, datetime], list[Play]]] = {
    "finance.shipped_not_billed": billing_plays,
    "procurement.approval_overdue": approval_plays,
    "procurement.late_supply": late_plays,
    "procurement.short_receipt": late_plays,
    "procurement.supplier_change": change_plays,
    "inventory.shipment_overdue": overdue_plays,
    "inventory.shipment_failed": failed_plays,
    "inventory.delivery_overdue": delivery_plays,
    "inventory.transfer_short": transfer_plays,
    "inventory.lot_expiring": expiring_plays,
    "inventory.goods_damaged": damaged_plays,
    "inventory.predicted_stockout": stockout_plays,
    "governance.duty_conflict": conflict_plays,
    "finance.period_blocker": period_plays,
    "orders.price_anomaly": price_plays,
}


def plays_of(case: ExceptionCase, *, user: User | None, now: datetime) -> list[Play]:
    """Return the ways out of a live case at this moment, best first; none of a closed one.

    For `user`, those that they may not run say why. A dozen queries at most.
    """
    price = PRICED_BY_TYPE.get(case.type) or PRICED.get(case.subject_kind)
    if price is None or case.state not in ExceptionCase.LIVE:
        return []
    plays = price(case, now)
    if user is not None:
        plays = [_for(play, case, user) for play in plays if may_know(play, user)]
    return ranked(plays)


def may_know(play: Play, user: User) -> bool:
    """Test if this person may know what a sister company has: what a play takes there says it."""
    seller = play.facts.get("seller_id")
    return seller is None or user.has_perm(inventory_permissions.VIEW_STOCK, int(seller))


def _for(play: Play, case: ExceptionCase, user: User) -> Play:
    if play.permission and not user.has_perm(play.permission, case.entity_id):
        return barred(play, f"{play.gate} may do this.")
    if play.key in {"release", "honour_quote"}:
        return _release_for(play, case, user)
    return play


def _release_for(play: Play, case: ExceptionCase, user: User) -> Play:
    """Say beforehand what the service would refuse: the wrong role, or one's own order."""
    role = str(play.facts["owner_role"])
    sits_there = RoleAssignment.objects.filter(user=user, entity=case.entity_id, role=role).exists()
    if not sits_there:
        return barred(play, f"{play.gate.partition(',')[0]} alone may lift this hold.")
    if case.order is not None and case.order.created_by_id == user.pk:
        return barred(play, "You wrote this order: somebody else lifts its holds.")
    return play


def play_fingerprints(request_ids: Collection[int]) -> Mapping[int, str]:
    """Return by id what was asked for, of requests that still wait. One query."""
    waiting = PlayRequest.objects.filter(pk__in=request_ids, state=PlayRequest.State.PENDING)
    return dict(waiting.values_list("pk", "fingerprint"))
