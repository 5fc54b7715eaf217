"""Plans counts: what is due by its class, or what somebody names."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from django.db import transaction

from erp.governance.services import Question, ask_policy
from erp.kernel.errors import DomainError
from erp.kernel.sql import rows
from erp.outbox.publishing import publish_all
from inventory.events import CountPlanned
from inventory.models import Count, CountLine
from inventory.selectors import classes_of
from inventory.services.counting._noting import facts, note

if TYPE_CHECKING:
    from erp.accounts.models import User

LINES_MAX = 500
RHYTHM = "inventory.counting"

# Balances that can be counted: what lies there, is not on its way, and is on no open sheet.
COUNTABLE = """
    SELECT s.id, s.product_id, p.code, c.counted_at
    FROM inventory_stock s
    JOIN inventory_product p ON p.id = s.product_id
    LEFT JOIN LATERAL (
        SELECT max(l.counted_at) AS counted_at
        FROM inventory_countline l JOIN inventory_count k ON k.id = l.count_id
        WHERE l.stock_id = s.id AND k.state <> 'cancelled'
    ) c ON true
    WHERE s.entity_id = %(entity)s AND s.node_id = %(node)s AND s.status <> 'in_transit'
        AND (s.on_hand > 0 OR s.id = ANY(%(stocks)s))
        AND (cardinality(%(stocks)s::bigint[]) = 0 OR s.id = ANY(%(stocks)s))
        AND NOT EXISTS (
            SELECT FROM inventory_countline l JOIN inventory_count k ON k.id = l.count_id
            WHERE l.stock_id = s.id AND k.state NOT IN ('posted', 'cancelled')
        )
    ORDER BY p.code, s.status, s.id
"""

# What lies there now and after which move: the lock waits for whoever is moving it.
SNAPSHOT = """
    WITH locked AS MATERIALIZED (
        SELECT s.id, s.on_hand, s.entity_id, s.node_id, s.product_id, s.status, s.lot_id
        FROM inventory_stock s WHERE s.id = ANY(%s) ORDER BY s.id FOR NO KEY UPDATE
    )
    SELECT locked.id, locked.on_hand, coalesce((
        SELECT max(m.id) FROM inventory_stockmove m
        WHERE m.product_id = locked.product_id AND m.node_id = locked.node_id
            AND m.entity_id = locked.entity_id AND m.status = locked.status
            AND m.lot_id IS NOT DISTINCT FROM locked.lot_id
    ), 0)
    FROM locked
"""


class NothingToCount(DomainError):
    """Nothing is due there, or what was named is counted already."""

    code: ClassVar[str] = "nothing_to_count"


class _Due(NamedTuple):
    stock_id: int
    class_code: str
    late: timedelta


@transaction.atomic
def plan_count(
    *,
    entity_id: int,
    node_id: int,
    actor: "User | None",
    now: datetime,
    stock_ids: Collection[int] = (),
    cause: str = "",
    lines_max: int = 50,
) -> Count:
    """Make a sheet of what is due at a node: class A first, the longest not counted first.

    `stock_ids` names balances that are counted whether they are due or not. What lies there is kept
    with the sheet, so that the counter need not be told and movements do not matter. Locks the
    stock rows in id order.

    Raises:
        NothingToCount: nothing is due, or all that was named stands on an open sheet.

    Publishes:
        CountPlanned
    """
    due = _due(entity_id, node_id, stock_ids, now)[: min(lines_max, LINES_MAX)]
    if not due:
        raise NothingToCount("Nothing is due to be counted there.")
    count = Count.objects.create(
        entity_id=entity_id,
        node_id=node_id,
        cause=cause.strip()[:200],
        planned_at=now,
        planned_by=actor,
    )
    count = Count.objects.lock(count.pk)
    write_lines(count, [(each.stock_id, each.class_code) for each in due], first=1)
    note(count, "plan_count", "", actor, now, reason=cause, lines=len(due))
    publish_all([CountPlanned(**facts(count))])
    return count


def write_lines(count: Count, chosen: Sequence[tuple[int, str]], *, first: int) -> list[CountLine]:
    """Put balances on a sheet with what lies there now, from position `first`. Two statements."""
    seen = {row[0]: row[1:] for row in rows(SNAPSHOT, [[stock_id for stock_id, _ in chosen]])}
    return CountLine.objects.bulk_create(
        CountLine(
            count=count,
            position=place,
            stock_id=stock_id,
            snapshot=seen[stock_id][0],
            snapshot_move=seen[stock_id][1],
            class_code=class_code,
        )
        for place, (stock_id, class_code) in enumerate(chosen, start=first)
    )


def _due(entity_id: int, node_id: int, stock_ids: Collection[int], now: datetime) -> list[_Due]:
    params = {"entity": entity_id, "node": node_id, "stocks": list(stock_ids)}
    found = rows(COUNTABLE, params)
    classes = classes_of(entity_id=entity_id, now=now) if found else {}
    rhythm = _rhythm(entity_id, now)
    due = []
    for stock_id, product_id, _code, counted_at in found:
        class_code = classes[product_id].abc if product_id in classes else "C"
        since = now - counted_at if counted_at else timedelta(days=9_999)
        late = since - timedelta(days=rhythm[class_code])
        if stock_ids or late >= timedelta(0):
            due.append(_Due(stock_id, class_code, late))
    if not stock_ids:  # the sort keeps the order of the shelf among equals
        due.sort(key=lambda each: (each.class_code, -each.late))
    return due


def _rhythm(entity_id: int, now: datetime) -> dict[str, int]:
    """Return after how many days each class is counted again."""
    questions = [Question(entity_id, "inventory.count", 0, {"class_code": c}) for c in "ABC"]
    answers = ask_policy(policy=RHYTHM, questions=questions, now=now)
    return {str(a.question.facts["class_code"]): int(a.decision.outcome["days"]) for a in answers}
