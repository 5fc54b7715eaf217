"""Lets checked orders go on, or stops them: what submitting and lifting a hold come to."""

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from erp.governance.services import keep_answers
from erp.kernel.events import Event
from erp.kernel.prepared import Prepared
from erp.kernel.sql import run
from erp.kernel.states import move_through
from orders.events import OrderHeld, OrderReleased
from orders.models import Order
from orders.services._checking import Case, Stop, check_compliance_again
from orders.services._exporting import take_licences

COMMIT = Prepared("""
    UPDATE orders_creditaccount a SET committed = a.committed + added.amount
    FROM (SELECT id, sum(amount) AS amount
          FROM unnest(%(accounts)s::bigint[], %(amounts)s::numeric[]) AS each (id, amount)
          GROUP BY id) AS added
    WHERE a.id = added.id
""")

STOP = Prepared("""
    INSERT INTO orders_hold (
        order_id, kind, owner_role, reason, facts, policy_version, state, placed_at, lift_reason
    )
    SELECT order_id, kind, owner_role, reason, facts, policy_version, 'active',
           %(now)s::timestamptz, ''
    FROM unnest(
        %(orders)s::bigint[], %(kinds)s::text[], %(roles)s::text[], %(reasons)s::text[],
        %(facts)s::jsonb[], %(versions)s::text[]
    ) AS hold (order_id, kind, owner_role, reason, facts, policy_version)
    ON CONFLICT (order_id, kind) WHERE state = 'active' DO NOTHING
""")

REASON_MAX = 300


def place(stops: Sequence[Stop], now: datetime) -> None:
    """Write the holds; one that is active already stays. One statement."""
    if not stops:
        return
    run(
        STOP,
        {
            "now": now,
            "orders": [stop.case.id for stop in stops],
            "kinds": [stop.kind for stop in stops],
            "roles": [stop.owner_role for stop in stops],
            "reasons": [stop.reason[:REASON_MAX] for stop in stops],
            "facts": [json.dumps(dict(stop.facts), default=_plain) for stop in stops],
            "versions": [stop.policy_version for stop in stops],
        },
    )


def commit(cases: Sequence[Case]) -> None:
    """Add to each account what its released orders commit. One statement."""
    if cases:
        accounts = [case.account_id for case in cases]
        run(COMMIT, {"accounts": accounts, "amounts": [case.commits for case in cases]})


def release(cases: Sequence[Case], now: datetime) -> list[Event]:
    """Let held orders without any hold go on to allocation; return what is to be told.

    The law is asked once more: a licence that was there when they were checked may be used up. Whom
    it stops now stays held.
    """
    lawful = check_compliance_again(cases, now)
    keep_answers(answers=lawful.answers, now=now)
    place(lawful.stops, now)
    stopped = {stop.case.id for stop in lawful.stops}
    gone = [case for case in cases if case.id not in stopped]
    move_through(Order, ["release"], [case.id for case in gone], released_at=now)
    commit(gone)
    take_licences([case.id for case in gone if case.id in lawful.ruled], now)
    return [*map(released, gone), *(held(stop.case, [stop.kind]) for stop in lawful.stops)]


def released(case: Case) -> OrderReleased:
    return OrderReleased(order_id=case.id, number=case.number, entity_id=case.entity_id)


def held(case: Case, kinds: Sequence[str]) -> OrderHeld:
    return OrderHeld(
        order_id=case.id,
        number=case.number,
        entity_id=case.entity_id,
        kinds=",".join(kinds),
        total=str(case.total),
        currency=case.currency,
    )


def _plain(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
