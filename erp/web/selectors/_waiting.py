"""How much waits behind a navigation item: one small count each, by the index of open work."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from erp.accounts.models import User
from erp.governance.permissions import VIEW_APPROVAL
from erp.governance.selectors import waiting_count
from erp.kernel.sql import rows


@dataclass(frozen=True, slots=True)
class Waiting:
    permission: str
    statement: str


WAITING: dict[str, Waiting] = {
    "exceptions:queue": Waiting("exceptions.view_exceptioncase", """
        SELECT count(*) FROM (
            SELECT FROM exceptions_exceptioncase
            WHERE entity_id = ANY(%(entities)s) AND state NOT IN ('resolved', 'dismissed')
              AND parent_id IS NULL
            LIMIT 1000) few"""),
    "exceptions:notices": Waiting("exceptions.view_exceptioncase", """
        SELECT count(*) FROM (
            SELECT FROM exceptions_notice
            WHERE user_id = %(user)s AND read_at IS NULL LIMIT 100) few"""),
    "orders:board": Waiting("orders.view_order", """
        SELECT count(*) FROM orders_order
        WHERE entity_id = ANY(%(entities)s)
          AND state IN ('submitted', 'held', 'released', 'allocated', 'partly_allocated',
                        'backordered', 'fulfilling', 'partly_shipped')"""),
    "orders:holds": Waiting("orders.view_order", """
        SELECT count(*) FROM orders_order
        WHERE entity_id = ANY(%(entities)s) AND state = 'held'"""),
    "procurement:board": Waiting("procurement.view_purchaseorder", """
        SELECT count(*) FROM procurement_purchaseproposal
        WHERE entity_id = ANY(%(entities)s) AND state = 'open'"""),
    "finance:receiving": Waiting("inventory.receive_goods", """
        SELECT count(*) FROM procurement_purchaseorder
        WHERE entity_id = ANY(%(entities)s)
          AND state IN ('sent', 'acknowledged', 'partly_received')"""),
    "finance:picking": Waiting("inventory.pick_shipment", """
        SELECT count(*) FROM inventory_shipment
        WHERE entity_id = ANY(%(entities)s) AND state IN ('planned', 'picked')"""),
    "finance:counts": Waiting("inventory.view_count", """
        SELECT count(*) FROM inventory_count
        WHERE entity_id = ANY(%(entities)s) AND state NOT IN ('posted', 'cancelled')"""),
    "finance:corrections": Waiting("inventory.view_correction", """
        SELECT count(*) FROM inventory_correction
        WHERE entity_id = ANY(%(entities)s) AND state IN ('review', 'approved')"""),
    "finance:transfers": Waiting("inventory.view_transfer", """
        SELECT count(*) FROM inventory_transfer
        WHERE (entity_id = ANY(%(entities)s) OR to_entity_id = ANY(%(entities)s))
          AND state NOT IN ('closed', 'cancelled')"""),
    "finance:shipments": Waiting("inventory.view_shipment", """
        SELECT count(*) FROM inventory_shipment
        WHERE entity_id = ANY(%(entities)s) AND state = 'packed'"""),
}  # fmt: skip


COUNTED = frozenset(WAITING) | {"governance:approvals"}


def waiting_behind(url_name: str, user: User, scope: Callable[[str], frozenset[int]]) -> int:
    """Return how many things wait behind the page of `url_name` in the entities in view."""
    return all_waiting([url_name], user, scope)[url_name]


def all_waiting(
    url_names: Sequence[str], user: User, scope: Callable[[str], frozenset[int]]
) -> dict[str, int]:
    """Return how many things wait behind each of these pages. One query, one for approvals."""
    found = dict.fromkeys(url_names, 0)
    asked = [name for name in url_names if name in WAITING and scope(WAITING[name].permission)]
    if asked:
        parts = []
        params: dict[str, Any] = {"user": user.pk}
        for place, name in enumerate(asked):
            statement = WAITING[name].statement.replace("%(entities)s", f"%(entities{place})s")
            parts.append(f"({statement})")
            params[f"entities{place}"] = sorted(scope(WAITING[name].permission))
        counts = rows("SELECT " + ", ".join(parts), params)[0]
        found |= {name: int(count) for name, count in zip(asked, counts, strict=True)}
    if "governance:approvals" in found:
        found["governance:approvals"] = waiting_count(entity_ids=scope(VIEW_APPROVAL), user=user)
    return found
