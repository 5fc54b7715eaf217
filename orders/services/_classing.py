"""Keeps the class of orders and what was found out about where they could come from."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from django.db import transaction

from erp.governance.services import Answer, Change, keep_answers, record
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows, run
from orders.models import Order
from orders.services._checking import Case, Plan, cases_of, classify
from orders.services._locking import lock

CLASSED = Prepared("""
    INSERT INTO orders_orderclass
        (order_id, version, class_code, priority, policy_version, inputs, cause, at)
    SELECT c.order_id, 1 + coalesce((
               SELECT max(b.version) FROM orders_orderclass b WHERE b.order_id = c.order_id
           ), 0), c.class_code, c.priority, c.policy_version, c.inputs, %(cause)s,
           %(now)s::timestamptz
    FROM ROWS FROM (
        unnest(%(orders)s::bigint[]), unnest(%(codes)s::text[]), unnest(%(priorities)s::int[]),
        unnest(%(versions)s::text[]), jsonb_array_elements(%(inputs)s::jsonb)
    ) AS c (order_id, class_code, priority, policy_version, inputs)
""")

PLANNED = Prepared("""
    INSERT INTO orders_sourcingplan
        (order_id, at, is_feasible, requested_date, possible_date, nodes, proposal)
    SELECT p.order_id, %(now)s::timestamptz, p.is_feasible, p.requested_date, p.possible_date,
           p.nodes, p.proposal
    FROM ROWS FROM (
        unnest(%(orders)s::bigint[]), unnest(%(feasible)s::boolean[]),
        unnest(%(requested)s::date[]), unnest(%(possible)s::date[]),
        jsonb_array_elements(%(nodes)s::jsonb), jsonb_array_elements(%(proposals)s::jsonb)
    ) AS p (order_id, is_feasible, requested_date, possible_date, nodes, proposal)
""")

RANK = Prepared("""
    UPDATE orders_order o SET class_code = c.class_code, priority = c.priority
    FROM unnest(%(orders)s::bigint[], %(codes)s::text[], %(priorities)s::int[])
        AS c (id, class_code, priority)
    WHERE o.id = c.id
""")

# Open orders that were classed by another tier than their customer has now.
OUTDATED = """
    SELECT o.id FROM orders_order o
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN LATERAL (SELECT inputs FROM orders_orderclass b WHERE b.order_id = o.id
                  ORDER BY b.version DESC LIMIT 1) AS last ON last.inputs ->> 'tier' <> c.tier
    WHERE o.customer_id = ANY(%(customers)s) AND o.state = ANY(%(states)s)
    ORDER BY o.id
"""
BEFORE_PICKING = [*Order.WAITING, Order.State.ALLOCATED, Order.State.SUBMITTED, Order.State.HELD]


def keep_classes(answers: Sequence[Answer], cause: str, now: datetime) -> None:
    """Write one fact row for each order's class. One statement."""
    if not answers:
        return
    outcomes = [answer.decision.outcome for answer in answers]
    params = {
        "orders": [answer.question.subject_id for answer in answers],
        "codes": [outcome["class_code"] for outcome in outcomes],
        "priorities": [int(outcome["priority"]) for outcome in outcomes],
        "versions": [answer.decision.policy_version for answer in answers],
        "inputs": _json([answer.question.facts for answer in answers]),
        "cause": cause[:60],
        "now": now,
    }
    run(CLASSED, params)


def keep_plans(plans: Collection[Plan], now: datetime) -> None:
    """Write down where each order could come from. One statement."""
    if not plans:
        return
    params = {
        "orders": [plan.case.id for plan in plans],
        "feasible": [plan.is_feasible for plan in plans],
        "requested": [plan.case.requested_date for plan in plans],
        "possible": [plan.possible_date for plan in plans],
        "nodes": _json([plan.chosen() for plan in plans]),
        "proposals": _json([plan.proposal() for plan in plans]),
        "now": now,
    }
    run(PLANNED, params)


@transaction.atomic
def reclass_orders(*, customer_ids: Collection[int], cause: str, now: datetime) -> list[int]:
    """Class the open orders of customers anew whose tier is another now; return those that moved.

    What is being picked keeps its class. A fact row is written for each that was asked about. Locks
    accounts and orders.
    """
    states = [str(state) for state in BEFORE_PICKING]
    found = rows(OUTDATED, {"customers": list(customer_ids), "states": states})
    if not found:
        return []
    lock([row[0] for row in found])
    return rank(cases_of([row[0] for row in found], now), cause, now)


def rank(cases: Sequence[Case], cause: str, now: datetime) -> list[int]:
    """Ask for the class of these locked orders again and set it; return those that it changed."""
    before = {
        pk: (code, priority)
        for pk, code, priority in Order.objects.filter(
            pk__in=[case.id for case in cases]
        ).values_list("pk", "class_code", "priority")
    }
    answers = classify(cases)
    keep_answers(answers=answers, now=now)
    keep_classes(answers, cause, now)
    after = {
        answer.question.subject_id: (
            answer.decision.outcome["class_code"],
            int(answer.decision.outcome["priority"]),
        )
        for answer in answers
    }
    moved = [pk for pk, found in after.items() if before[pk] != found]
    run(
        RANK,
        {
            "orders": moved,
            "codes": [after[pk][0] for pk in moved],
            "priorities": [after[pk][1] for pk in moved],
        },
    )
    versions = {a.question.subject_id: a.decision.policy_version for a in answers}
    by_id = {case.id: case for case in cases}
    changes = [
        Change(
            entity_id=by_id[pk].entity_id,
            action="orders.reclass",
            subject_kind="orders.order",
            subject_id=pk,
            thread=f"orders.order:{pk}",
            before={"class": before[pk][0], "priority": before[pk][1]},
            after={"class": after[pk][0], "priority": after[pk][1]},
            reason=cause,
            policy_version=versions[pk],
        )
        for pk in moved
    ]
    record(changes=changes, actor=None, now=now)
    return moved


def _json(each: Sequence[Any]) -> str:
    return orjson.dumps(each, default=_plain).decode()


def _plain(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
