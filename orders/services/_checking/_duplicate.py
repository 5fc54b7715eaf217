"""Whether the same order is there already."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from orders.models import Hold
from orders.services._checking._case import Case, Finding, Stop, ask

POLICY = "orders.release.duplicate"
LOOKED_BACK = timedelta(days=7)  # for repeats without a number
SECONDS_PER_HOUR = 3600

# The latest order with the customer's number, and the latest with the same content: each is found
# by its index. Orders of the same call are looked at beside.
EARLIER = Prepared("""
    SELECT a.id, po.number, po.fingerprint, po.submitted_at, twin.number, twin.submitted_at
    FROM unnest(%(ids)s::bigint[], %(entities)s::bigint[], %(customers)s::bigint[],
                %(pos)s::text[], %(prints)s::text[])
        AS a (id, entity_id, customer_id, po, fingerprint)
    LEFT JOIN LATERAL (
        SELECT o.number, o.fingerprint, o.submitted_at FROM orders_order o
        WHERE a.po <> '' AND o.customer_id = a.customer_id AND o.customer_po = a.po
          AND o.customer_po <> '' AND o.entity_id = a.entity_id AND o.id <> a.id
          AND o.submitted_at IS NOT NULL AND o.state <> 'cancelled'
        ORDER BY o.fingerprint = a.fingerprint DESC, o.submitted_at DESC LIMIT 1
    ) AS po ON true
    LEFT JOIN LATERAL (
        SELECT o.number, o.submitted_at FROM orders_order o
        WHERE a.po = '' AND o.customer_id = a.customer_id AND o.fingerprint = a.fingerprint
          AND o.fingerprint <> '' AND o.entity_id = a.entity_id AND o.id <> a.id
          AND o.customer_po = '' AND o.submitted_at > %(since)s::timestamptz
          AND o.state <> 'cancelled'
        ORDER BY o.submitted_at DESC LIMIT 1
    ) AS twin ON true
    WHERE po.number IS NOT NULL OR twin.number IS NOT NULL
""")


@dataclass(frozen=True, slots=True)
class _Twin:
    """An earlier order that looks the same: by the customer's number, or by its content alone."""

    number: str
    at: datetime
    is_same: bool


def check_duplicate(cases: Sequence[Case], now: datetime) -> Finding:
    """Ask of each order if the same customer sent the same before.

    Earlier means submitted before, or before it in this call. Content is products and quantities
    in whatever order. One query for all.
    """
    known = _earlier(cases, now)
    with_po: dict[tuple[int, int, str], Case] = {}
    without: dict[tuple[int, int, str | None], Case] = {}
    twins: dict[int, _Twin] = {}
    for case in sorted(cases, key=lambda each: each.id):
        owner = (case.entity_id, case.customer_id)
        if case.customer_po:
            before = with_po.setdefault((*owner, case.customer_po), case)
        else:
            before = without.setdefault((*owner, case.fingerprint), case)
        if before is not case:
            same = before.fingerprint == case.fingerprint
            twins[case.id] = _Twin(before.number, now, same)
        elif case.id in known:
            twins[case.id] = known[case.id]
    answers = ask(POLICY, cases, [_facts(case, twins.get(case.id), now) for case in cases])
    stops = [
        Stop(
            case,
            Hold.Kind.DUPLICATE.value,
            answer.decision.outcome["owner_role"],
            f"{answer.decision.outcome['reason']} See {twins[case.id].number}."
            if case.id in twins
            else answer.decision.outcome["reason"],
            answer.decision.policy_version,
            {**answer.question.facts, "like": twins[case.id].number if case.id in twins else ""},
        )
        for case, answer in zip(cases, answers, strict=True)
        if answer.decision.outcome["hold"]
    ]
    return Finding(stops, answers)


def _facts(case: Case, twin: _Twin | None, now: datetime) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "same_po_days": None,
        "other_content_days": None,
        "repeat_hours": None,
        "channel": case.channel,
        "tier": case.tier,
        "total": case.total,
    }
    if twin is not None:
        age = max(0.0, (now - twin.at).total_seconds())
        if case.customer_po:
            name = "same_po_days" if twin.is_same else "other_content_days"
            facts[name] = int(age // (24 * SECONDS_PER_HOUR))
        else:
            facts["repeat_hours"] = int(age // SECONDS_PER_HOUR)
    return facts


def _earlier(cases: Sequence[Case], now: datetime) -> dict[int, _Twin]:
    params = {
        "ids": [case.id for case in cases],
        "entities": [case.entity_id for case in cases],
        "customers": [case.customer_id for case in cases],
        "pos": [case.customer_po for case in cases],
        "prints": [case.fingerprint or "" for case in cases],
        "since": now.replace(hour=0, minute=0, second=0, microsecond=0) - LOOKED_BACK,
    }
    found: dict[int, _Twin] = {}
    prints = {case.id: case.fingerprint for case in cases}
    for pk, po, fingerprint, po_at, twin, twin_at in rows(EARLIER, params):
        if po is not None:
            found[pk] = _Twin(po, po_at, fingerprint == prints[pk])
        else:
            found[pk] = _Twin(twin, twin_at, is_same=True)
    return found
