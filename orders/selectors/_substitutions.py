"""What customers are to be asked about, and what went out in place of what was ordered."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from erp.kernel.sql import records

ROWS = """
    SELECT s.id, s.entity_id, o.number AS order_number, l.position AS line, c.name AS customer,
        c.code AS customer_code, o.currency, p.code AS product, p.base_uom AS uom,
        other.code AS other, other.name AS other_name, other.base_uom AS other_uom,
        s.quantity, s.other_quantity, l.unit_price AS was_price, s.unit_price, s.discount,
        s.price_rule, coalesce(b.reason, '') AS reason, s.state, s.proposed_at, s.answered_at,
        s.answer, coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '')
            AS answered_by,
        learnt.asked, learnt.accepted
    FROM orders_substitution s
    JOIN orders_orderline l ON l.id = s.line_id
    JOIN orders_order o ON o.id = l.order_id
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN inventory_product p ON p.id = s.product_id
    JOIN inventory_product other ON other.id = s.other_id
    LEFT JOIN inventory_substitute b ON b.id = s.pair_id
    LEFT JOIN accounts_user u ON u.id = s.answered_by_id
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE x.state IN ('accepted', 'declined')) AS asked,
            count(*) FILTER (WHERE x.state = 'accepted') AS accepted
        FROM orders_substitution x WHERE x.product_id = s.product_id AND x.other_id = s.other_id
    ) AS learnt
    WHERE s.entity_id = ANY(%(entities)s::bigint[])
        AND (%(state)s = '' OR s.state = %(state)s)
        AND (%(number)s = '' OR o.number = %(number)s)
        AND (%(ids)s::bigint[] IS NULL OR s.id = ANY(%(ids)s::bigint[]))
        AND (%(after)s::bigint IS NULL OR s.id < %(after)s::bigint)
    ORDER BY s.id DESC
    LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class SubstitutionRow:
    """So much of `other` for so much of a line; prices are per base unit in `currency`.

    Of customers `asked` about this pair so far, `accepted` took it.
    """

    id: int
    entity_id: int
    order_number: str
    line: int
    customer: str
    customer_code: str
    currency: str
    product: str
    uom: str
    other: str
    other_name: str
    other_uom: str
    quantity: Decimal
    other_quantity: Decimal
    was_price: Decimal
    unit_price: Decimal
    discount: Decimal
    price_rule: str
    reason: str
    state: str
    proposed_at: datetime
    answered_at: datetime | None
    answer: str
    answered_by: str
    asked: int
    accepted: int

    @property
    def key(self) -> str:
        """Its id, as names of dialogs have it."""
        return str(self.id)


def substitution_rows(
    *,
    entity_ids: Collection[int],
    state: str = "",
    number: str = "",
    ids: Collection[int] | None = None,
    after: int | None = None,
    limit: int = 100,
) -> list[SubstitutionRow]:
    """Return substitutions of these entities, the newest first, `after` an id. One query."""
    if "\0" in number:
        return []
    params = {
        "entities": sorted(entity_ids),
        "state": state,
        "number": number,
        "ids": None if ids is None else list(ids),
        "after": after,
        "limit": limit,
    }
    return [SubstitutionRow(**row) for row in records(ROWS, params)]
