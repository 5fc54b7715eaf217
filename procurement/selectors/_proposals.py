"""The queue of proposals."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from erp.accounts.models import User
from erp.kernel.sql import records, rows

PAGE = 100


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """One proposal in the queue. `reasons` holds the figures behind it, as text."""

    id: int
    entity_code: str
    node_code: str
    product_code: str
    product_name: str
    uom: str
    supplier_code: str
    supplier_name: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    currency: str
    need_by: date
    state: str
    reasons: Mapping[str, Any]
    created_at: datetime
    decided_by: str
    decision_reason: str
    order_number: str

    @property
    def is_waited_for(self) -> bool:
        return Decimal(self.reasons.get("waiting", "0")) > 0


PROPOSALS = """
    SELECT p.id, e.code AS entity_code, n.code AS node_code, i.code AS product_code,
           i.name AS product_name, i.base_uom AS uom, s.code AS supplier_code,
           s.name AS supplier_name, p.quantity, p.unit_price,
           round(p.quantity * p.unit_price, 2) AS amount, p.currency, p.need_by, p.state,
           p.reasons, p.created_at, coalesce(u.username, '') AS decided_by, p.decision_reason,
           coalesce(o.number, '') AS order_number
    FROM procurement_purchaseproposal p
    JOIN accounts_entity e ON e.id = p.entity_id
    JOIN inventory_node n ON n.id = p.node_id
    JOIN inventory_product i ON i.id = p.product_id
    JOIN procurement_supplier s ON s.id = p.supplier_id
    LEFT JOIN accounts_user u ON u.id = p.decided_by_id
    LEFT JOIN procurement_purchaseorderline l ON l.proposal_id = p.id
    LEFT JOIN procurement_purchaseorder o ON o.id = l.order_id
    WHERE p.entity_id = ANY(%(entities)s) AND p.state = %(state)s
      AND (%(supplier)s = '' OR s.code = %(supplier)s)
      AND (%(node)s = '' OR n.code = %(node)s)
      AND (%(product)s = '' OR upper(i.code) LIKE %(product)s)
      AND (p.need_by, p.id) > (%(after_day)s, %(after_id)s)
    ORDER BY p.need_by, p.id
    LIMIT %(limit)s
"""


def proposal_board(
    *,
    entity_ids: Collection[int],
    state: str = "open",
    supplier: str = "",
    node: str = "",
    product: str = "",
    after: str = "",
    limit: int = PAGE,
) -> tuple[list[ProposalRow], str]:
    """Return proposals, the first needed first, and the cursor of what follows (empty: no more).

    `product` is the beginning of a code. One query.
    """
    day, _, number = after.partition("_")
    asked = {
        "entities": sorted(entity_ids),
        "state": state,
        "supplier": supplier,
        "node": node,
        "product": product.upper() + "%" if product else "",
        "after_day": _day(day) or date.min,
        "after_id": int(number) if number.isdecimal() else 0,
        "limit": limit + 1,
    }
    found = [
        ProposalRow(**{**row, "reasons": json.loads(row["reasons"])})
        for row in records(PROPOSALS, asked)
    ]
    more = f"{found[limit - 1].need_by}_{found[limit - 1].id}" if len(found) > limit else ""
    return found[:limit], more


WAITING = """
    SELECT count(*) FROM procurement_purchaseproposal
    WHERE entity_id = ANY(%(entities)s) AND state = 'open'
"""


def waiting_count(*, entity_ids: Collection[int], user: User) -> int:
    """Return how many proposals wait for a planner in these entities."""
    return int(rows(WAITING, {"entities": sorted(entity_ids)})[0][0])


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
