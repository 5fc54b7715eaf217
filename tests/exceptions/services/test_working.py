"""exceptions/services/_working.py"""

from datetime import datetime, timedelta

import pytest

from erp.accounts.models import Entity, User
from erp.governance.models import AuditEntry
from exceptions.models import CaseTimer, ExceptionCase
from exceptions.services import (
    AlreadyTaken,
    CannotOwn,
    CaseClosed,
    NothingSaid,
    acknowledge,
    assign,
    comment,
    dismiss,
    fire_due_timers,
    take,
)
from tests.exceptions import factories


@pytest.fixture
def planner(entity: Entity) -> User:
    return factories.person("lee", "planner")


class TestTake:
    def test_says_that_the_person_is_on_it(self, planner: User, now: datetime) -> None:
        case = factories.shortage_case()
        ann = factories.person("ann", "planner")

        take(case_id=case.pk, actor=ann, now=now)

        case = ExceptionCase.objects.get(pk=case.pk)
        assert (case.owner, case.state, case.acknowledged_at) == (ann, "acknowledged", now)
        left = CaseTimer.objects.get(case=case, cancelled_at=None, kind="resolve")
        assert not CaseTimer.objects.filter(
            case=case, cancelled_at=None, kind="acknowledge"
        ).exists()
        assert left.kind == "resolve"
        take(case_id=case.pk, actor=ann, now=now + timedelta(hours=1))
        assert AuditEntry.objects.filter(action="exceptions.take").count() == 1

    def test_refuses_what_somebody_is_on_and_what_is_over(
        self, planner: User, now: datetime
    ) -> None:
        case = factories.shortage_case()
        take(case_id=case.pk, actor=planner, now=now)

        with pytest.raises(AlreadyTaken, match="Lee took this case at 14:00"):
            take(case_id=case.pk, actor=factories.person("ann", "planner"), now=now)
        dismiss(case_id=case.pk, reason="Agreed", actor=planner, now=now)
        with pytest.raises(CaseClosed, match="Lee dismissed it"):
            take(case_id=case.pk, actor=planner, now=now)

        assert ExceptionCase.objects.get(pk=case.pk).owner == planner


class TestAcknowledge:
    def test_is_for_its_owner(self, planner: User, now: datetime) -> None:
        case = factories.shortage_case()

        with pytest.raises(AlreadyTaken):
            acknowledge(case_id=case.pk, actor=factories.person("ann", "planner"), now=now)
        acknowledge(case_id=case.pk, actor=planner, now=now)

        assert ExceptionCase.objects.get(pk=case.pk).acknowledged_at == now


class TestAssign:
    def test_hands_over(self, planner: User, now: datetime) -> None:
        case = factories.shortage_case()
        ann = factories.person("ann", "buyer")

        assign(case_id=case.pk, to=ann, queue="buyer", actor=planner, now=now)

        case = ExceptionCase.objects.get(pk=case.pk)
        assert (case.owner, case.queue, case.state) == (ann, "buyer", "assigned")

    def test_lets_the_clock_run_again_in_the_queue(self, planner: User, now: datetime) -> None:
        case = factories.shortage_case()
        take(case_id=case.pk, actor=planner, now=now)

        assign(case_id=case.pk, to=None, actor=planner, now=now)

        case = ExceptionCase.objects.get(pk=case.pk)
        assert (case.owner, case.state, case.acknowledged_at) == (None, "open", None)
        assert len(fire_due_timers(now=case.acknowledge_by)) == 1

    def test_refuses_who_may_not_work_there(self, planner: User, now: datetime) -> None:
        case = factories.shortage_case()

        with pytest.raises(CannotOwn):
            assign(case_id=case.pk, to=factories.person("sam"), actor=planner, now=now)
        with pytest.raises(CannotOwn):
            assign(case_id=case.pk, to=None, queue="pricing", actor=planner, now=now)

        assert ExceptionCase.objects.get(pk=case.pk).owner == planner


class TestComment:
    @pytest.mark.parametrize("text", ["", "  \n", "x" * 4_001])
    def test_has_words(self, text: str, planner: User, now: datetime) -> None:
        case = factories.shortage_case()

        with pytest.raises(NothingSaid):
            comment(case_id=case.pk, text=text, actor=planner, now=now)

        assert not case.comments.exists()
