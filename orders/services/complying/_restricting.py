"""Applies a new export restriction to what was let go before it."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from erp.governance.services import keep_answers
from erp.kernel.sql import rows
from erp.outbox.publishing import publish
from orders.events import RestrictedTooLate, RestrictionChanged
from orders.models import ExportRestriction, Order
from orders.services._checking import Case, cases_of, check_compliance
from orders.services._exporting import rule_on_exports
from orders.services._locking import lock
from orders.services.complying._stopping import KIND, stop_orders, tell_too_late

# Goods count as gone against the rule from its first day on, by the entity's own day.
LET_GO = """
    SELECT o.id FROM orders_order o JOIN accounts_entity e ON e.id = o.entity_id
    WHERE o.id > %(after)s AND (%(entity)s = 0 OR o.entity_id = %(entity)s)
      AND (o.state = ANY(%(open)s)
        OR (o.state = ANY(%(gone)s) AND EXISTS (
            SELECT FROM inventory_shipment s
            WHERE s.source_id = o.id AND s.source_kind = 'orders.order'
              AND (s.shipped_at AT TIME ZONE e.time_zone)::date >= %(first)s)))
    ORDER BY o.id LIMIT %(limit)s
"""
LIFTED_SINCE = """
    SELECT order_id FROM orders_hold
    WHERE order_id = ANY(%(orders)s) AND kind = 'compliance' AND state = 'lifted'
      AND lifted_by_id IS NOT NULL AND lifted_at >= %(since)s
"""
FORBIDDEN = frozenset({"embargoed", "no_exception"})


@transaction.atomic
def stop_restricted(
    *, restriction_id: int, since: datetime, now: datetime, after_id: int = 0, limit: int = 500
) -> int:
    """Ask the law again about orders that were let go before a restriction; return how many stop.

    A batch by id; the event that calls is told again for the next. What its owner let go after
    `since`, when the rule was there, goes on. Goods that left on the rule's first day or later are
    told of. Locks the accounts and the orders that are still here.

    Publishes:
        RestrictionChanged
    """
    rule = ExportRestriction.objects.filter(pk=restriction_id).first()
    if rule is None:
        return 0
    params = {
        "after": after_id,
        "entity": rule.entity_id or 0,
        "open": [*Order.WAITING, Order.State.ALLOCATED, *Order.ON_THE_FLOOR],
        "gone": list(Order.GONE),
        "first": rule.valid_from,
        "limit": limit,
    }
    ids = [row[0] for row in rows(LET_GO, params)]
    if len(ids) == limit:
        publish(
            RestrictionChanged(
                restriction_id=rule.pk,
                entity_id=rule.entity_id or 0,
                code=rule.code,
                at=since.isoformat(),
                after_id=ids[-1],
            )
        )
    if not ids:
        return 0
    lock(ids)
    cases = cases_of(ids, now)
    stopped = _stop([c for c in cases if c.state not in Order.GONE], since, now)
    _tell(rule, [c for c in cases if c.state in (Order.State.PARTLY_SHIPPED, *Order.GONE)], now)
    return stopped


def _stop(cases: Sequence[Case], since: datetime, now: datetime) -> int:
    asked = [case for case in cases if KIND not in case.active_holds]
    finding = check_compliance(asked, now)
    ids = [stop.case.id for stop in finding.stops]
    good = {row[0] for row in rows(LIFTED_SINCE, {"orders": ids, "since": since})} if ids else set()
    stops = [stop for stop in finding.stops if stop.case.id not in good]
    kept = {stop.case.id for stop in stops}
    answers = [each for each in finding.answers if each.question.subject_id in kept]
    keep_answers(answers=answers, now=now)
    return stop_orders(stops, now, _too_late, tells=False)


def _tell(rule: ExportRestriction, cases: Sequence[Case], now: datetime) -> None:
    by_id = {case.id: case for case in cases}
    found = rule_on_exports(list(by_id), now, is_gone=True).rulings if by_id else ()
    against = {
        ruling.line.order_id: f"{rule.code}: {ruling.missing}"
        for ruling in found
        if ruling.restriction.id == rule.pk and ruling.outcome in FORBIDDEN
    }
    tell_too_late([(by_id[pk], said) for pk, said in against.items()], now, _too_late)


def _too_late(case: Case, reason: str) -> RestrictedTooLate:
    return RestrictedTooLate(
        order_id=case.id, number=case.number, entity_id=case.entity_id, reason=reason
    )
