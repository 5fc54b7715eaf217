"""Corrections of stock as the screens show them, and what must hold of them."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from erp.kernel.invariants import Invariant
from erp.kernel.sql import records, rows

OPEN = ["review", "approved"]

LIST = """
    SELECT c.id, c.number, c.kind, c.state, e.code AS entity, e.currency, n.code AS node,
        c.reason, c.value, c.requested_at, l.lines,
        coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '')
            AS requested_by
    FROM inventory_correction c
    JOIN accounts_entity e ON e.id = c.entity_id
    JOIN inventory_node n ON n.id = c.node_id
    LEFT JOIN accounts_user u ON u.id = c.requested_by_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS lines FROM inventory_correctionline WHERE correction_id = c.id
    ) l
    WHERE c.entity_id = ANY(%(entities)s)
        AND (%(state)s = 'all' OR c.state = ANY(%(states)s))
        AND (%(after)s::bigint IS NULL OR c.id < %(after)s)
    ORDER BY c.id DESC
    LIMIT %(limit)s
"""

HEAD = """
    SELECT c.id, c.number, c.kind, c.is_release, c.state, c.entity_id, e.code AS entity, e.currency,
        n.code AS node, n.name AS node_name, c.reason, c.value, c.requested_at, c.approved_at,
        c.posted_at, c.cancel_reason,
        coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '')
            AS requested_by
    FROM inventory_correction c
    JOIN accounts_entity e ON e.id = c.entity_id
    JOIN inventory_node n ON n.id = c.node_id
    LEFT JOIN accounts_user u ON u.id = c.requested_by_id
    WHERE c.number = %(number)s AND c.entity_id = ANY(%(entities)s)
"""

LINES = """
    SELECT l.id, l.position, p.code AS product, p.name, p.base_uom AS uom,
        coalesce(lot.code, '') AS lot, l.status, l.to_status, l.quantity, l.unit_value,
        ARRAY(SELECT jsonb_array_elements_text(l.serials)) AS serials
    FROM inventory_correctionline l
    JOIN inventory_product p ON p.id = l.product_id
    LEFT JOIN inventory_lot lot ON lot.id = l.lot_id
    WHERE l.correction_id = %s
    ORDER BY l.position
"""

# Of goods that lie aside those that came last are held to be there: who brought them is asked for.
PUT_ASIDE = """
    WITH source AS (
        SELECT DISTINCT s.id, s.entity_id, s.node_id, s.product_id, s.lot_id, s.status, s.on_hand
        FROM inventory_correctionline l
        JOIN inventory_correction c ON c.id = l.correction_id
        JOIN inventory_stock s ON s.product_id = l.product_id AND s.node_id = c.node_id
            AND s.entity_id = c.entity_id AND s.status = l.status
            AND s.lot_id IS NOT DISTINCT FROM l.lot_id
        WHERE c.id = %(correction)s AND l.to_status = 'available'
    ), came AS (
        SELECT m.actor_id, m.cause_kind, m.cause_id, source.on_hand, m.quantity,
            sum(m.quantity) OVER (PARTITION BY source.id ORDER BY m.id DESC) AS upto
        FROM source
        JOIN inventory_stockmove m ON m.product_id = source.product_id
            AND m.node_id = source.node_id AND m.entity_id = source.entity_id
            AND m.status = source.status AND m.lot_id IS NOT DISTINCT FROM source.lot_id
        WHERE m.quantity > 0
    ), there AS (
        SELECT * FROM came WHERE upto - quantity < on_hand
    )
    SELECT actor_id FROM there WHERE actor_id IS NOT NULL
    UNION
    SELECT c.requested_by_id
    FROM there
    JOIN inventory_correctionline l
        ON there.cause_kind = 'inventory.correctionline' AND l.id = there.cause_id
    JOIN inventory_correction c ON c.id = l.correction_id
    WHERE c.requested_by_id IS NOT NULL
    ORDER BY 1
"""

AGREED = """
    SELECT l.correction_id, array_agg(
        concat_ws(' ', l.product_id, l.lot_id, l.status, l.to_status, trim_scale(l.quantity),
            trim_scale(l.unit_value), nullif(l.serials::text, '[]')) ORDER BY l.position)
    FROM inventory_correctionline l WHERE l.correction_id = ANY(%s)
    GROUP BY l.correction_id
"""

CORRECTIONS = [
    Invariant(
        "inventory.posted_corrections_did_what_they_say",
        "A posted adjustment corrected exactly what it says, and no other corrected anything",
        """
        SELECT c.number, c.state, l.quantity, a.quantity
        FROM inventory_correction c
        JOIN (
            SELECT correction_id, sum(quantity) AS quantity, count(*) AS lines
            FROM inventory_correctionline GROUP BY correction_id
        ) l ON l.correction_id = c.id
        LEFT JOIN (
            SELECT split_part(reason, ' · ', 1) AS number, sum(quantity) AS quantity,
                count(*) AS lines
            FROM inventory_adjustment WHERE starts_with(reason, 'AD-') GROUP BY 1
        ) a ON a.number = c.number
        WHERE CASE WHEN c.state = 'posted' AND c.kind = 'adjustment'
            THEN (coalesce(a.quantity, 0), coalesce(a.lines, 0)) <> (l.quantity, l.lines)
            ELSE a.lines IS NOT NULL END
        """,
    ),
    Invariant(
        "inventory.changes_of_status_move_once",
        "A posted change of status moved each line out of one status into the other, at no value",
        """
        SELECT c.number, l.position, c.state, l.quantity, m.moved, m.value
        FROM inventory_correctionline l
        JOIN inventory_correction c ON c.id = l.correction_id
        LEFT JOIN (
            SELECT cause_id, sum(greatest(quantity, 0)) AS moved, sum(quantity) AS net,
                sum(abs(value)) AS value, count(*) AS moves
            FROM inventory_stockmove WHERE cause_kind = 'inventory.correctionline'
            GROUP BY cause_id
        ) m ON m.cause_id = l.id
        WHERE CASE WHEN c.state = 'posted' AND c.kind = 'status'
            THEN (coalesce(m.moved, 0), coalesce(m.net, 0), coalesce(m.value, 0),
                coalesce(m.moves, 0)) <> (l.quantity, 0, 0, 2)
            ELSE m.moves IS NOT NULL END
        """,
    ),
    Invariant(
        "inventory.releases_are_agreed_by_somebody",
        "What lay aside was let go by somebody else than who asked",
        """
        SELECT number, requested_by_id FROM inventory_correction
        WHERE is_release AND state IN ('approved', 'posted')
            AND approved_by_id = requested_by_id
        """,
    ),
]


@dataclass(frozen=True, slots=True)
class CorrectionRow:
    """One correction in a list; `value` in `currency`, all lines without their signs."""

    id: int
    number: str
    kind: str
    state: str
    entity: str
    currency: str
    node: str
    reason: str
    value: Decimal
    requested_at: datetime
    lines: int
    requested_by: str


@dataclass(frozen=True, slots=True)
class CorrectionLineRow:
    """One line: signed base units, or how many change into `to_status`; `serials`: which."""

    id: int
    position: int
    product: str
    name: str
    uom: str
    lot: str
    status: str
    to_status: str
    quantity: Decimal
    unit_value: Decimal | None
    serials: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CorrectionPage:
    """One correction with its lines."""

    id: int
    number: str
    kind: str
    is_release: bool
    state: str
    entity_id: int
    entity: str
    currency: str
    node: str
    node_name: str
    reason: str
    value: Decimal
    requested_at: datetime
    approved_at: datetime | None
    posted_at: datetime | None
    cancel_reason: str
    requested_by: str
    lines: Sequence[CorrectionLineRow]


def correction_rows(
    *, entity_ids: Collection[int], state: str = "", after: int | None = None, limit: int = 100
) -> list[CorrectionRow]:
    """Return corrections, the newest first; without a state the open ones. One query."""
    params = {
        "entities": sorted(entity_ids),
        "state": state,
        "states": [state] if state else OPEN,
        "after": after,
        "limit": limit,
    }
    return [CorrectionRow(**row) for row in records(LIST, params)]


def correction_page(*, number: str, entity_ids: Collection[int]) -> CorrectionPage | None:
    """Return one correction of these entities, or None. Two queries."""
    params = {"number": number, "entities": sorted(entity_ids)}
    found = records(HEAD, params) if "\0" not in number else []
    if not found:
        return None
    lines = [CorrectionLineRow(**row) for row in records(LINES, [found[0]["id"]])]
    return CorrectionPage(**found[0], lines=lines)


def put_aside_by(correction_id: int) -> list[int]:
    """Return the ids of who put there what a correction lets go: they do not agree to it."""
    return [row[0] for row in rows(PUT_ASIDE, {"correction": correction_id})]


def correction_fingerprints(correction_ids: Collection[int]) -> Mapping[int, str]:
    """Return what an approver agrees to, in short, by id: the lines, and who may not agree."""
    return {
        correction_id: hashlib.sha256(
            "|".join([*lines, *map(str, put_aside_by(correction_id))]).encode()
        ).hexdigest()
        for correction_id, lines in rows(AGREED, [list(correction_ids)])
    }
