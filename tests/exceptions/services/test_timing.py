"""exceptions/services/_firing.py, exceptions/services/_timing.py"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connection

from erp.accounts.models import Entity
from erp.governance.models import AuditEntry
from erp.outbox.models import Message
from exceptions.models import CaseTimer, ExceptionCase
from exceptions.services import acknowledge, fire_due_timers, take
from tests.exceptions import factories


class TestFireDueTimers:
    def test_hands_an_unseen_case_to_the_operations_lead(
        self, entity: Entity, now: datetime
    ) -> None:
        factories.person("lee", "planner")
        boss = factories.person("kim", "operations_lead")
        case = factories.shortage_case()

        (fired,) = fire_due_timers(now=case.acknowledge_by + timedelta(seconds=1))

        case = ExceptionCase.objects.get(pk=case.pk)
        assert (case.owner, case.queue, case.escalation_level) == (boss, "operations_lead", 1)
        assert (fired.kind, fired.due_at) == ("acknowledge", case.acknowledge_by)
        told = Message.objects.get(name="exceptions.case_escalated")
        assert told.payload["due_at"] == case.acknowledge_by.isoformat()

    def test_waits_in_the_queue_above_where_nobody_sits(
        self, entity: Entity, now: datetime
    ) -> None:
        factories.person("lee", "planner")
        case = factories.shortage_case()
        assert case.state == "assigned"

        fire_due_timers(now=case.acknowledge_by)

        case = ExceptionCase.objects.get(pk=case.pk)
        assert (case.owner, case.queue, case.state) == (None, "operations_lead", "open")

    def test_does_nothing_a_second_too_early(self, entity: Entity, now: datetime) -> None:
        case = factories.shortage_case()

        assert fire_due_timers(now=case.acknowledge_by - timedelta(seconds=1)) == []
        assert len(fire_due_timers(now=case.acknowledge_by)) == 1

    def test_leaves_alone_who_is_on_it_until_it_must_be_resolved(
        self, entity: Entity, now: datetime
    ) -> None:
        lee = factories.person("lee", "planner")
        case = factories.shortage_case()
        acknowledge(case_id=case.pk, actor=lee, now=now)

        warned = fire_due_timers(now=case.resolve_by - timedelta(seconds=1))
        assert [one.kind for one in warned] == ["predicted"]
        assert ExceptionCase.objects.get(pk=case.pk).owner == lee
        assert [one.kind for one in fire_due_timers(now=case.resolve_by)] == ["resolve"]

    def test_climbs_a_second_step_counted_from_the_first_due_time(
        self, entity: Entity, now: datetime
    ) -> None:
        factories.person("lee", "planner")
        chief = factories.person("eve", "executive")
        case = factories.shortage_case(quantity=600, unit_price=50)
        assert case.severity == 1

        fire_due_timers(now=case.acknowledge_by + timedelta(minutes=7))
        again = CaseTimer.objects.get(case=case, kind="acknowledge", fired_at=None)
        fire_due_timers(now=again.due_at)

        assert again.due_at == case.acknowledge_by + timedelta(minutes=60)
        case = ExceptionCase.objects.get(pk=case.pk)
        assert (case.owner, case.escalation_level) == (chief, 2)
        later = fire_due_timers(now=case.resolve_by - timedelta(seconds=1))
        assert [one.kind for one in later] == ["predicted"]

    def test_fires_once_in_order_with_original_times_after_an_outage(
        self, entity: Entity, now: datetime
    ) -> None:
        cases = [
            factories.shortage_case(now=now + timedelta(minutes=2 * step)) for step in range(3)
        ]
        back = cases[-1].acknowledge_by + timedelta(minutes=6)

        fired = fire_due_timers(now=back)

        assert [one.case_id for one in fired] == [case.pk for case in cases]
        assert [one.due_at for one in fired] == [case.acknowledge_by for case in cases]
        assert fire_due_timers(now=back) == []
        due = AuditEntry.objects.filter(action="exceptions.escalate").order_by("id")
        assert [entry.subject_id for entry in due] == [case.pk for case in cases]

    def test_forgets_a_case_that_is_over(self, entity: Entity, now: datetime) -> None:
        case = factories.shortage_case()
        ExceptionCase.objects.filter(pk=case.pk).update(state="resolved", resolved_at=now)

        assert fire_due_timers(now=case.resolve_by) == []
        assert ExceptionCase.objects.get(pk=case.pk).escalation_level == 0


@pytest.mark.django_db(transaction=True)
def test_many_workers_fire_each_timer_once(now: datetime) -> None:
    factories.policies()
    cases = [factories.shortage_case() for _ in range(12)]
    late = max(case.acknowledge_by for case in cases) + timedelta(minutes=1)

    def work(_: int) -> list[int]:
        try:
            return [one.timer_id for _ in range(8) for one in fire_due_timers(now=late, limit=3)]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        fired = [timer for part in workers.map(work, range(4)) for timer in part]

    fired += [one.timer_id for one in fire_due_timers(now=late)]
    assert len(fired) == len(set(fired)) == 12
    assert AuditEntry.objects.filter(action="exceptions.escalate").count() == 12


@pytest.mark.django_db(transaction=True)
def test_two_people_take_one_case_and_one_wins(now: datetime) -> None:
    factories.policies()
    case = factories.shortage_case()
    people = [factories.person(name, "planner") for name in ("ann", "bob", "cem", "dee")]

    def grab(user: object) -> str:
        try:
            take(case_id=case.pk, actor=user, now=now)
        except Exception as refusal:  # noqa: BLE001
            return str(refusal)
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(4) as hands:
        said = list(hands.map(grab, people))

    winner = ExceptionCase.objects.get(pk=case.pk).owner
    assert said.count("") == 1
    assert people[said.index("")] == winner
    assert all(f"{winner} took this case" in sentence for sentence in said if sentence)
