"""Exceptions at size: the queue's first page, one cause with many cases, severities anew.

The first page (rows and figures) of a company with 100,000 live cases is measured beside that of a
company with a hundred, in turns: the latter is the floor. Then one late purchase order hits four
hundred order lines, its date is corrected; and the figures of ten thousand cases change at once.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from erp.kernel.sql import run as execute
from exceptions.models import ExceptionCase
from exceptions.rules.conditions import Condition
from exceptions.rules.exposure import Exposure
from exceptions.selectors import counts, queue
from exceptions.services import clear, raise_cases, reconsider_children, refresh
from orders.models import OrderLine
from procurement.models import PurchaseOrder, PurchaseOrderLine
from tests.exceptions import factories

FEW, MANY = 100, 100_000
CHILDREN, RANKED = 400, 10_000
TURNS = 60
NOW = factories.NOW

FILL = """
    INSERT INTO exceptions_exceptioncase (
        type, subject_kind, subject_id, subject_label, entity_id, party, tier, currency, summary,
        reasons, expected_loss, rank, severity, policy_version, queue, owner_id, state, opened_at,
        acknowledge_by, start_by, resolve_by, updated_at, resolution, is_muted, escalation_level,
        reopened_count
    )
    SELECT 'orders.shortage', 'orders.line', 100000000 + %(entity)s * 1000000 + n, 'SO-' || n,
        %(entity)s, 'Customer ' || n % 400, chr(65 + n % 3), 'USD', 'Short by ' || n % 50, '{}',
        n % 9973, n % 9973, 1 + n % 4, 'exceptions.severity v1', 'planner',
        CASE WHEN n % 3 > 0 THEN %(user)s END,
        CASE WHEN n % 3 > 0 THEN 'assigned' ELSE 'open' END, %(now)s,
        %(now)s::timestamptz + interval '1 hour', %(now)s::timestamptz + interval '2 hours',
        %(now)s::timestamptz + (n % 2880) * interval '1 minute', %(now)s, '', false,
        (n % 7 = 6)::int, 0
    FROM generate_series(1, %(count)s) AS n
""".replace(" % ", " %% ")


def first_page(entity_id: int, user_id: int) -> None:
    page = queue(entity_ids=[entity_id], now=NOW, user_id=user_id, filters={"awake": True})
    found = counts(entity_ids=[entity_id], now=NOW, user_id=user_id)
    assert len(page.rows) == FEW <= found.open


def pages() -> dict[str, Any]:
    user = factories.person("lee", "planner")
    sizes = {factories.company("FEW").pk: FEW, factories.company("MANY").pk: MANY}
    for entity, count in sizes.items():
        execute(FILL, {"entity": entity, "user": user.pk, "now": NOW, "count": count})
    execute("ANALYZE exceptions_exceptioncase")
    took: dict[int, list[float]] = {entity: [] for entity in sizes}
    for turn in range(TURNS + 5):
        for entity, times in took.items():
            clock = time.perf_counter()
            first_page(entity, user.pk)
            if turn >= 5:  # the first warm caches and plans
                times.append(time.perf_counter() - clock)
    few, many = (sorted(times)[TURNS // 2] * 1000 for times in took.values())
    return {"product": round(many, 3), "floor": round(few, 3), "ratio": round(many / few, 3)}


def timed(work: Callable[[], object]) -> tuple[float, int]:
    """Return how many seconds `work` takes in one commit, and how many statements."""
    with CaptureQueriesContext(connection) as captured:
        clock = time.perf_counter()
        with transaction.atomic():
            work()
        took = time.perf_counter() - clock
    return round(took, 3), len(captured)


def one_cause() -> dict[str, Any]:
    item = factories.product()
    late = factories.purchase(item, 10_000, expected=factories.TODAY - timedelta(days=2))
    buyer = factories.account()
    lines = [
        factories.short_line(
            5, item=item, account=buyer, requested_date=factories.TODAY
        ).pk
        for _ in range(CHILDREN)
    ]  # fmt: skip

    def hit() -> None:
        refresh(type="orders.shortage", subject_ids=lines, now=NOW)
        refresh(type="procurement.late_supply", subject_ids=[late.pk], now=NOW)

    def correct() -> None:
        clear(subject_ids=[late.pk], type="procurement.late_supply", now=NOW)
        reconsider_children(parent_ids=[parent.pk], now=NOW)

    opened, opening = timed(hit)
    parent = ExceptionCase.objects.get(type="procurement.late_supply", subject_id=late.pk)
    assert parent.children.count() == CHILDREN
    soon = factories.TODAY + timedelta(days=1)
    PurchaseOrder.objects.filter(pk=late.pk).update(expected_date=soon)
    PurchaseOrderLine.objects.filter(order=late).update(expected_date=soon)
    OrderLine.objects.filter(pk__in=lines).update(reserved=5)
    cleared, clearing = timed(correct)
    assert not parent.children.filter(state__in=ExceptionCase.LIVE).exists()
    return {
        "children": CHILDREN,
        "opened_s": opened,
        "opened_statements": opening,
        "cleared_s": cleared,
        "cleared_statements": clearing,
    }


def conditions(entity_id: int, now: datetime, revenue: int) -> list[Condition]:
    return [
        Condition(
            type="orders.shortage", subject_kind="orders.line", subject_id=500_000_000 + n,
            subject_label=f"SO-{n}", entity_id=entity_id, currency="USD", summary=f"Short by {n}",
            exposure=Exposure(
                p_miss=Decimal("0.5"), revenue=Decimal(revenue * (1 + n % 97)), tier="B"
            ),
        )
        for n in range(RANKED)
    ]  # fmt: skip


def severities() -> dict[str, Any]:
    entity = factories.company("RANK").pk
    raise_cases(conditions=conditions(entity, NOW, 10), now=NOW)
    worse = conditions(entity, NOW, 1_000)
    execute("ANALYZE")
    took, statements = timed(lambda: raise_cases(conditions=worse, now=NOW))
    return {"ranked": RANKED, "ranked_s": took, "ranked_statements": statements}


def run(**_more: Any) -> dict[str, object]:
    """Measure all three in a world of their own."""
    factories.policies()
    return {
        **pages(),
        "unit": "ms, first page with 100,000 live cases and with 100",
        "cpu_ms": None,
        **one_cause(),
        **severities(),
        "setup": "queue rows and figures of one company; 400 short lines behind one late purchase"
        " order; 10,000 cases whose figures change, their audit and decisions kept",
    }
