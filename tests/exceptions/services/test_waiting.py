"""exceptions/services/_waiting.py, exceptions/services/_lasting.py"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from erp.accounts.models import Entity, User
from erp.governance.models import AuditEntry, DecisionRecord
from exceptions.models import CaseInterval, CaseTimer, ExceptionCase, Notice
from exceptions.services import (
    BadWait,
    CaseClosed,
    NothingSaid,
    NotWaiting,
    assign,
    clear,
    fire_due_timers,
    go_on,
    refresh,
    snooze,
    take,
    wait,
)
from orders.models import OrderLine
from tests.exceptions import factories

MONDAY_9 = factories.NOW  # 9 o'clock in New York; work ends at 18, 23:00 UTC


@pytest.fixture
def lee(entity: Entity) -> User:
    return factories.person("lee", "planner")


def pending(case: ExceptionCase) -> dict[str, datetime]:
    left = CaseTimer.objects.filter(case=case, fired_at=None, cancelled_at=None)
    return {timer.kind: timer.due_at for timer in left}


def reread(case: ExceptionCase) -> ExceptionCase:
    return ExceptionCase.objects.get(pk=case.pk)


class TestWait:
    def test_stops_the_clock_and_gives_the_time_back(self, lee: User) -> None:
        case = factories.shortage_case(missing=1, quantity=100, unit_price=50)
        assert case.severity > 1
        began = MONDAY_9 + timedelta(hours=1)
        until = MONDAY_9 + timedelta(hours=5)

        waiting = wait(
            case_id=case.pk, on="supplier", until=until, reason="Asked for a date",
            actor=lee, now=began,
        )  # fmt: skip

        assert (waiting.state, waiting.waiting_on) == ("waiting", "supplier")
        assert pending(case) == {"follow_up": until}
        assert fire_due_timers(now=until - timedelta(seconds=1)) == []
        back = go_on(case_id=case.pk, actor=lee, now=began + timedelta(hours=3))
        assert back.resolve_by == case.resolve_by + timedelta(hours=3)
        assert pending(case) == {"resolve": back.resolve_by}
        assert DecisionRecord.objects.filter(
            version__policy__code="exceptions.waiting", subject_id=case.pk
        ).exists()

    def test_over_a_weekend_costs_no_business_time(self, lee: User) -> None:
        friday = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)  # 17 o'clock, an hour before the end
        case = factories.shortage_case(now=friday, missing=1, quantity=100, unit_price=50)
        wait(
            case_id=case.pk, on="supplier", until=friday + timedelta(days=3), reason="Asked",
            actor=lee, now=friday,
        )  # fmt: skip

        back = go_on(case_id=case.pk, actor=lee, now=datetime(2026, 11, 23, 14, 0, tzinfo=UTC))

        # 17 to 18 on Friday and 8 to 9 on Monday: two hours, reckoned on from 17 o'clock
        assert case.resolve_by == datetime(2026, 11, 30, 22, 0, tzinfo=UTC)
        assert back.resolve_by == datetime(2026, 12, 1, 14, 0, tzinfo=UTC)

    def test_of_the_worst_does_not_stop_the_clock(self, lee: User) -> None:
        case = factories.shortage_case(quantity=600, unit_price=50)
        assert case.severity == 1

        waiting = wait(
            case_id=case.pk, on="carrier", until=MONDAY_9 + timedelta(hours=2), reason="Asked",
            actor=lee, now=MONDAY_9,
        )  # fmt: skip

        assert waiting.clock_stopped_at is None
        assert set(pending(case)) == {"resolve", "follow_up"}
        fired = fire_due_timers(now=case.resolve_by)
        assert [one.kind for one in fired] == ["follow_up", "resolve"]

    def test_ends_by_itself_when_it_is_time_to_ask_again(self, lee: User) -> None:
        case = factories.shortage_case(missing=1, quantity=100, unit_price=50)
        take(case_id=case.pk, actor=lee, now=MONDAY_9)
        until = MONDAY_9 + timedelta(hours=4)
        wait(case_id=case.pk, on="customer", until=until, reason="Asked", actor=lee, now=MONDAY_9)

        (fired,) = fire_due_timers(now=until + timedelta(minutes=6))

        again = reread(case)
        assert (fired.kind, fired.due_at) == ("follow_up", until)
        assert (again.state, again.waiting_on, again.owner) == ("in_progress", "", lee)
        assert again.escalation_level == 0
        assert again.resolve_by == case.resolve_by + timedelta(hours=4, minutes=6)
        assert Notice.objects.filter(user=lee, kind="follow_up").count() == 1
        assert fire_due_timers(now=until + timedelta(minutes=7)) == []

    @pytest.mark.parametrize(
        ("on", "until", "reason", "refusal"),
        [
            ("mars", timedelta(hours=1), "Asked", BadWait),
            ("supplier", timedelta(0), "Asked", BadWait),
            ("supplier", timedelta(days=60), "Asked", BadWait),
            ("supplier", timedelta(hours=1), "  ", NothingSaid),
        ],
    )
    def test_refuses_what_policy_does_not_allow(
        self, on: str, until: timedelta, reason: str, refusal: type[Exception], lee: User
    ) -> None:
        case = factories.shortage_case()
        audited = AuditEntry.objects.count()

        with pytest.raises(refusal):
            wait(case_id=case.pk, on=on, until=MONDAY_9 + until, reason=reason, actor=lee,
                 now=MONDAY_9)  # fmt: skip

        assert reread(case).state == case.state
        assert AuditEntry.objects.count() == audited

    def test_is_over_with_its_condition(self, lee: User) -> None:
        case = factories.shortage_case()
        wait(case_id=case.pk, on="supplier", until=MONDAY_9 + timedelta(hours=2), reason="Asked",
             actor=lee, now=MONDAY_9)  # fmt: skip
        OrderLine.objects.update(reserved=10)

        clear(subject_ids=[case.subject_id], now=MONDAY_9 + timedelta(hours=1))

        closed = reread(case)
        assert (closed.state, closed.waiting_on, closed.follow_up_at) == ("resolved", "", None)
        assert pending(case) == {}
        with pytest.raises(CaseClosed):
            go_on(case_id=case.pk, actor=lee, now=MONDAY_9)

    def test_gets_in_hand_again_when_it_gets_worse(self, lee: User) -> None:
        case = factories.shortage_case(missing=1, quantity=100, unit_price=50)
        wait(case_id=case.pk, on="supplier", until=MONDAY_9 + timedelta(hours=5), reason="Asked",
             actor=lee, now=MONDAY_9)  # fmt: skip
        OrderLine.objects.update(reserved=0)

        refresh(type=case.type, subject_ids=[case.subject_id], now=MONDAY_9 + timedelta(hours=1))

        worse = reread(case)
        assert worse.severity < case.severity
        assert (worse.state, worse.owner) == ("in_progress", lee)
        assert pending(case) == {"resolve": worse.resolve_by}

    def test_can_only_go_on_from_waiting(self, lee: User) -> None:
        case = factories.shortage_case()

        with pytest.raises(NotWaiting):
            go_on(case_id=case.pk, actor=lee, now=MONDAY_9)


class TestIntervals:
    def test_say_with_whom_it_lay_without_a_gap(self, lee: User) -> None:
        ann = factories.person("ann", "planner")
        hour = timedelta(hours=1)
        case = factories.shortage_case(missing=1, quantity=100, unit_price=50)
        first = reread(case).owner
        take(case_id=case.pk, actor=ann, now=MONDAY_9 + hour)
        wait(case_id=case.pk, on="supplier", until=MONDAY_9 + 5 * hour, reason="Asked",
             actor=ann, now=MONDAY_9 + 2 * hour)  # fmt: skip
        go_on(case_id=case.pk, actor=ann, now=MONDAY_9 + 4 * hour)
        assign(case_id=case.pk, to=lee, actor=ann, now=MONDAY_9 + 5 * hour)
        OrderLine.objects.update(reserved=100)
        clear(subject_ids=[case.subject_id], now=MONDAY_9 + 6 * hour)

        found = list(CaseInterval.objects.filter(case=case).order_by("since"))

        told = [
            (i.party, i.owner, (i.since - MONDAY_9) / hour) for i in found if i.until != i.since
        ]
        expected = [("owner", first, 0.0)] if first != ann else []
        expected += [
            ("owner", ann, 0.0 if first == ann else 1.0), ("supplier", ann, 2.0),
            ("owner", ann, 4.0), ("owner", lee, 5.0),
        ]  # fmt: skip
        assert told == expected
        assert all(one.until == after.since for one, after in pairwise(found))
        assert reread(case).worked_minutes == 4 * 60

    def test_net_time_leaves_nights_out(self, lee: User) -> None:
        case = factories.shortage_case()
        OrderLine.objects.update(reserved=10)

        clear(subject_ids=[case.subject_id], now=MONDAY_9 + timedelta(days=1))

        assert reread(case).worked_minutes == 10 * 60  # 9 to 18, and 8 to 9 the next day


class TestSnooze:
    def test_hides_a_case_until_then_and_lets_the_clocks_run(self, lee: User) -> None:
        case = factories.shortage_case()
        before = pending(case)

        until = case.acknowledge_by
        snooze(case_id=case.pk, until=until, actor=lee, now=MONDAY_9)

        assert reread(case).snoozed_until == until
        assert pending(case) == before

    def test_not_past_the_clock(self, lee: User) -> None:
        case = factories.shortage_case()

        for until in (MONDAY_9, case.acknowledge_by + timedelta(seconds=1)):
            with pytest.raises(BadWait):
                snooze(case_id=case.pk, until=until, actor=lee, now=MONDAY_9)

        assert reread(case).snoozed_until is None
