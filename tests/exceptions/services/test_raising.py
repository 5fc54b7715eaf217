"""exceptions/services/_raising.py"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from erp.accounts.models import Entity
from erp.governance.models import AuditEntry, DecisionRecord
from erp.outbox.models import Message
from exceptions.models import CaseTimer, ExceptionCase, Notice
from exceptions.selectors import case_type
from exceptions.services import dismiss, raise_cases, refresh
from orders.models import OrderLine
from tests.exceptions import factories


def found(now: datetime, *lines: OrderLine) -> list[ExceptionCase]:
    refresh(type="orders.shortage", subject_ids=[line.pk for line in lines], now=now)
    ids = [line.pk for line in lines]
    return list(ExceptionCase.objects.filter(subject_id__in=ids).order_by("subject_id"))


class TestSeverity:
    def test_follows_money_and_not_the_type(self, entity: Entity, now: datetime) -> None:
        factories.person("lee", "planner")
        small = factories.short_line(2, unit_price=5, tier="D")
        large = factories.short_line(
            600, unit_price=50, account=factories.account("A", penalty_rate="0.02")
        )

        harmless, grave = found(now, small, large)

        assert (harmless.severity, grave.severity) == (4, 1)
        assert harmless.type == grave.type
        assert grave.resolve_by < harmless.resolve_by
        assert grave.expected_loss == Decimal(grave.reasons["p_miss"]) * 30_000 + Decimal(
            grave.reasons["penalty"]
        ) + Decimal(grave.reasons["tier_weight"])
        assert grave.policy_version.startswith("exceptions.severity v")

    def test_rises_with_the_world_and_tightens_the_clock(
        self, entity: Entity, now: datetime
    ) -> None:
        line = factories.short_line(100, missing=1, unit_price=50, tier="C")
        (before,) = found(now, line)
        OrderLine.objects.filter(pk=line.pk).update(reserved=0)

        (after,) = found(now + timedelta(minutes=1), line)

        assert after.pk == before.pk
        assert (before.severity, after.severity) == (4, 2)
        assert after.resolve_by < before.resolve_by
        pending = CaseTimer.objects.filter(case=after, cancelled_at=None)
        assert {t.kind: t.due_at for t in pending} == {
            "acknowledge": after.acknowledge_by,
            "predicted": after.start_by,
            "resolve": after.resolve_by,
        }
        assert AuditEntry.objects.filter(action="exceptions.rank").count() == 1


class TestRaiseCases:
    def test_opens_with_owner_clock_timers_audit_and_fact(
        self, entity: Entity, now: datetime
    ) -> None:
        lee = factories.person("lee", "planner")
        line = factories.short_line()

        (case,) = found(now, line)

        assert (case.state, case.owner, case.queue) == ("assigned", lee, "planner")
        assert case.order == line.order
        assert CaseTimer.objects.filter(case=case, fired_at=None).count() == 3
        assert Notice.objects.get(case=case).user == lee
        assert AuditEntry.objects.filter(
            action="exceptions.open", thread=f"orders.order:{line.order_id}"
        ).exists()
        assert DecisionRecord.objects.filter(
            subject_kind="exceptions.case", subject_id=case.pk
        ).exists()
        assert Message.objects.filter(name="exceptions.case_opened").count() == 1

    def test_waits_in_the_queue_where_nobody_has_the_role(
        self, entity: Entity, now: datetime
    ) -> None:
        factories.person("ann", "buyer")

        (case,) = found(now, factories.short_line())

        assert (case.state, case.owner, case.queue) == ("open", None, "planner")

    def test_shares_among_the_people_of_the_desk(self, entity: Entity, now: datetime) -> None:
        desk = {factories.person(name, "planner") for name in ("ann", "bob", "cem")}
        lines = [factories.short_line() for _ in range(6)]

        cases = found(now, *lines)

        assert [sum(c.owner == one for c in cases) for one in desk] == [2, 2, 2]

    def test_says_nothing_twice(self, entity: Entity, now: datetime) -> None:
        line = factories.short_line()
        (case,) = found(now, line)
        entries = AuditEntry.objects.count()

        (again,) = found(now + timedelta(minutes=5), line)

        assert again.updated_at == case.updated_at
        assert AuditEntry.objects.count() == entries

    def test_reopens_what_comes_back_within_a_week(self, entity: Entity, now: datetime) -> None:
        factories.person("lee", "planner")
        line = factories.short_line()
        found(now, line)
        OrderLine.objects.filter(pk=line.pk).update(reserved=10)
        found(now + timedelta(hours=1), line)
        OrderLine.objects.filter(pk=line.pk).update(reserved=0)

        (case,) = found(now + timedelta(days=2), line)

        assert (case.state, case.reopened_count, case.resolution) == ("assigned", 1, "")
        assert CaseTimer.objects.filter(case=case, fired_at=None, cancelled_at=None).count() == 3

    def test_opens_another_after_a_week(self, entity: Entity, now: datetime) -> None:
        line = factories.short_line()
        found(now, line)
        OrderLine.objects.filter(pk=line.pk).update(reserved=10)
        found(now + timedelta(hours=1), line)
        OrderLine.objects.filter(pk=line.pk).update(reserved=0)

        cases = found(now + timedelta(days=9), line)

        assert [case.state for case in cases] == ["resolved", "open"]

    def test_takes_a_handful_of_statements_for_any_number(
        self, entity: Entity, now: datetime, django_assert_max_num_queries: object
    ) -> None:
        factories.person("lee", "planner")
        lines = [factories.short_line() for _ in range(40)]
        conditions = case_type("orders.shortage").find(now=now)

        with django_assert_max_num_queries(25):
            raised = raise_cases(conditions=conditions, now=now)

        assert len(raised.opened) == len(lines)


class TestDismissed:
    def test_stays_quiet_while_the_condition_lasts(self, entity: Entity, now: datetime) -> None:
        line = factories.short_line()
        (case,) = found(now, line)
        dismiss(case_id=case.pk, reason="Agreed by phone", actor=factories.person("x"), now=now)

        (after,) = found(now + timedelta(days=30), line)

        assert after.state == "dismissed"

    def test_comes_back_when_it_gets_worse(self, entity: Entity, now: datetime) -> None:
        line = factories.short_line(100, missing=1, unit_price=50)
        (case,) = found(now, line)
        dismiss(case_id=case.pk, reason="Only one", actor=factories.person("x"), now=now)
        OrderLine.objects.filter(pk=line.pk).update(reserved=0)

        (after,) = found(now, line)

        assert (after.pk, after.state, after.is_muted) == (case.pk, "open", False)

    def test_is_forgotten_once_the_condition_was_over(self, entity: Entity, now: datetime) -> None:
        line = factories.short_line()
        (case,) = found(now, line)
        dismiss(case_id=case.pk, reason="Agreed", actor=factories.person("x"), now=now)
        OrderLine.objects.filter(pk=line.pk).update(reserved=10)
        found(now, line)
        OrderLine.objects.filter(pk=line.pk).update(reserved=0)

        cases = found(now, line)

        assert [one.state for one in cases] == ["dismissed", "open"]


@pytest.mark.django_db(transaction=True)
def test_one_condition_told_many_times_at_once_is_one_case(now: datetime) -> None:
    factories.policies()
    lines = [factories.short_line() for _ in range(5)]

    def tell(_: int) -> None:
        try:
            refresh(type="orders.shortage", subject_ids=[line.pk for line in lines], now=now)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as workers:
        list(workers.map(tell, range(6)))

    assert ExceptionCase.objects.count() == 5
    assert Message.objects.filter(name="exceptions.case_opened").count() == 5
