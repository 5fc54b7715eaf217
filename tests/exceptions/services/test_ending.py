"""exceptions/services/_ending.py, and the rungs of _firing.py: repeats, names, webhooks, the end"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from erp.accounts.models import Entity
from erp.governance.models import Policy, PolicyVersion
from erp.outbox.models import Message
from exceptions.models import CaseTimer, ExceptionCase, Notice, PlayRun
from exceptions.services import end_ladder, fire_due_timers, take
from tests.exceptions import factories
from tests.exceptions.scenes import SCENES

pytestmark = pytest.mark.django_db
RUNG = {
    "role": "", "person": "", "takes_over": False, "by_mail": False, "by_webhook": False,
    "again_minutes": 0, "repeat": 0, "final": "",
}  # fmt: skip


def ladder(entity: Entity, *rungs: dict[str, Any]) -> None:
    """Give the entity its own ladder of escalation, one rung a level."""
    rows = [
        {"when": [["level", "=", level]], "then": RUNG | rung} for level, rung in enumerate(rungs)
    ]
    PolicyVersion.objects.create(
        policy=Policy.objects.get(code="exceptions.escalation"), entity=entity, number=2,
        table={"hit": "first", "rows": [*rows, {"when": [], "then": RUNG}]}, state="active",
        created_at=factories.NOW, activated_at=factories.NOW, valid_from=factories.NOW,
    )  # fmt: skip


def next_timer(case: ExceptionCase) -> CaseTimer:
    return CaseTimer.objects.get(case=case, kind="acknowledge", fired_at=None)


class TestRungs:
    def test_are_said_again_as_often_as_the_policy_says_before_the_next(
        self, entity: Entity
    ) -> None:
        kim = factories.person("kim", "operations_lead")
        eve = factories.person("eve", "executive")
        ladder(
            entity,
            {"role": "operations_lead", "again_minutes": 30, "repeat": 2},
            {"role": "executive"},
        )
        case = factories.shortage_case(quantity=600, unit_price=50)
        due, levels = case.acknowledge_by, []

        for _ in range(4):
            (fired,) = fire_due_timers(now=due)
            levels.append((fired.due_at, fired.level))
            timer = CaseTimer.objects.filter(case=case, kind="acknowledge", fired_at=None).first()
            due = timer.due_at if timer else due

        first, half = case.acknowledge_by, timedelta(minutes=30)
        assert levels == [
            (first, 1), (first + half, 1), (first + 2 * half, 1), (first + 3 * half, 2),
        ]  # fmt: skip
        assert Notice.objects.filter(user=kim, kind="escalated").count() == 3
        assert Notice.objects.filter(user=eve, kind="escalated").count() == 1
        assert not CaseTimer.objects.filter(kind="acknowledge", fired_at=None).exists()

    def test_whose_time_passed_while_the_workers_were_away_fire_once_in_order(
        self, entity: Entity
    ) -> None:
        """Three deadlines within six minutes; nothing of them lives anywhere but in the rows."""
        rung = {"role": "operations_lead", "again_minutes": 2}
        ladder(entity, rung, rung, {"role": "executive"})
        case = factories.shortage_case(quantity=600, unit_price=50)
        first = case.acknowledge_by
        back, fired = first + timedelta(minutes=6), []

        while found := fire_due_timers(now=back):
            fired += found

        told = [(one.due_at - first, one.level) for one in fired if one.kind == "acknowledge"]
        assert told == [(timedelta(minutes=2 * step), step + 1) for step in range(3)]
        assert len(fired) == 3
        assert fire_due_timers(now=back) == []
        facts = Message.objects.filter(name="exceptions.case_escalated").order_by("id")
        assert [one.payload["due_at"] for one in facts] == [
            (first + timedelta(minutes=2 * step)).isoformat() for step in range(3)
        ]
        kept = CaseTimer.objects.filter(case=case, kind="acknowledge").order_by("due_at")
        assert {one.fired_at for one in kept} == {back}

    def test_may_name_a_person_who_takes_it_over(self, entity: Entity) -> None:
        named = factories.person("nora", "planner")
        factories.person("lee", "planner")
        ladder(entity, {"person": "nora", "takes_over": True})
        case = factories.shortage_case()
        ExceptionCase.objects.filter(pk=case.pk).update(owner=None, state="open")

        fire_due_timers(now=case.acknowledge_by)

        case = ExceptionCase.objects.get(pk=case.pk)
        assert (case.owner, case.state) == (named, "assigned")
        assert Notice.objects.filter(user=named, kind="escalated").count() == 1

    def test_tells_whom_it_names_and_gives_them_nothing_they_may_not_work(
        self, entity: Entity
    ) -> None:
        nora = factories.person("nora")
        ladder(entity, {"person": "nora", "takes_over": True})
        case = factories.shortage_case()

        fire_due_timers(now=case.acknowledge_by)

        assert ExceptionCase.objects.get(pk=case.pk).owner is None
        assert Notice.objects.filter(user=nora).count() == 1

    def test_say_whether_other_systems_are_told(self, entity: Entity) -> None:
        ladder(entity, {"by_webhook": True, "again_minutes": 10}, {})
        case = factories.shortage_case()

        fire_due_timers(now=case.acknowledge_by)
        fire_due_timers(now=next_timer(case).due_at)

        told = Message.objects.filter(name="exceptions.case_escalated").order_by("id")
        assert [one.payload["by_webhook"] for one in told] == [1, 0]
        assert told[0].payload["subject"] == case.subject_label
        assert told[0].payload["due_at"] == case.acknowledge_by.isoformat()


class TestEndLadder:
    def test_runs_the_best_way_out_once_the_last_rung_was_said(
        self, entity: Entity, deliver_all: Callable[[], int]
    ) -> None:
        ladder(entity, {"again_minutes": 10, "final": "run_best"}, {"final": "run_best"})
        case, _who, _now = SCENES["replan"]()

        fire_due_timers(now=case.acknowledge_by)
        deliver_all()
        assert (
            not PlayRun.objects.filter(case=case, run_by=None)
            .exclude(policy_version__startswith="exceptions.automation")
            .exists()
        )
        fire_due_timers(now=next_timer(case).due_at)
        deliver_all()

        run = PlayRun.objects.get(case=case)
        assert run.key in {"replan", "redeliver"}
        assert run.run_by is None
        assert ExceptionCase.objects.get(pk=case.pk).state == "resolved"

    def test_dismisses_what_nobody_looked_at_and_keeps_it_quiet(
        self, entity: Entity, deliver_all: Callable[[], int]
    ) -> None:
        ladder(entity, {"final": "dismiss"})
        case = factories.shortage_case()

        fire_due_timers(now=case.acknowledge_by)
        deliver_all()

        case = ExceptionCase.objects.get(pk=case.pk)
        assert (case.state, case.is_muted, case.resolved_by) == ("dismissed", True, None)
        assert not CaseTimer.objects.filter(fired_at=None, cancelled_at=None).exists()

    def test_leaves_what_somebody_took(self, entity: Entity, now: datetime) -> None:
        case, who, now = SCENES["replay"]()
        take(case_id=case.pk, actor=who, now=now)

        assert end_ladder(case_id=case.pk, final="run_best", now=now) is False
        assert end_ladder(case_id=case.pk, final="dismiss", now=now) is False
        assert ExceptionCase.objects.get(pk=case.pk).state == "acknowledged"

    def test_leaves_to_people_what_only_a_person_may_do(self, entity: Entity) -> None:
        case, _who, now = SCENES["approve"]()
        before = PlayRun.objects.count()

        assert end_ladder(case_id=case.pk, final="run_best", now=now) is False
        assert end_ladder(case_id=0, final="run_best", now=now) is False
        assert PlayRun.objects.count() == before
