"""exceptions/services/desks/_shifting.py, and whom a new case goes to by it"""

from datetime import date, time, timedelta

import pytest

from erp.accounts.models import Entity, User
from erp.governance.models import Absence
from exceptions.models import ExceptionCase, Shift
from exceptions.services.desks import BadShift, drop_shift, plan_shift
from tests.exceptions import factories
from tests.exceptions.factories import NOW

pytestmark = pytest.mark.django_db
EARLY, LATE = (time(6), time(14)), (time(14), time(22))  # NOW is 9 o'clock in New York


@pytest.fixture
def boss(entity: Entity) -> User:
    return factories.person("kim", "operations_lead")


def plan(boss: User, user: User | None, hours: tuple[time, time], **values: object) -> Shift:
    entity = factories.company()
    return plan_shift(
        **{"entity_id": entity.pk, "role": "planner", "user": user, "weekdays": "1111100",
           "hours": hours, "actor": boss, "now": NOW} | values
    )  # fmt: skip


class TestNewCases:
    def test_go_to_who_is_there_and_not_to_the_least_loaded_who_is_not(self, boss: User) -> None:
        ann, bob = factories.person("ann", "planner"), factories.person("bob", "planner")
        plan(boss, ann, EARLY)
        plan(boss, bob, LATE)

        owners = [factories.shortage_case().owner for _ in range(3)]
        later = factories.shortage_case(now=NOW + timedelta(hours=6)).owner

        assert owners == [ann, ann, ann]
        assert later == bob

    def test_go_to_who_comes_first_where_nobody_is_there(self, boss: User) -> None:
        ann, bob = factories.person("ann", "planner"), factories.person("bob", "planner")
        plan(boss, ann, EARLY)
        plan(boss, bob, LATE)

        night = factories.shortage_case(now=NOW + timedelta(hours=14))  # 23 o'clock

        assert night.owner == ann

    def test_follow_the_role_s_shift_where_a_person_has_none_of_their_own(self, boss: User) -> None:
        ann, bob = factories.person("ann", "planner"), factories.person("bob", "planner")
        plan(boss, None, LATE)
        plan(boss, bob, EARLY)

        assert factories.shortage_case().owner == bob
        assert factories.shortage_case(now=NOW + timedelta(hours=6)).owner == ann

    def test_pass_over_who_is_away_unless_everybody_is(self, boss: User) -> None:
        ann, bob = factories.person("ann", "planner"), factories.person("bob", "planner")
        Absence.objects.create(
            user=ann, starts_at=NOW - timedelta(days=1), ends_at=NOW + timedelta(days=1),
            created_by=boss, created_at=NOW,
        )  # fmt: skip

        assert factories.shortage_case().owner == bob
        Absence.objects.create(
            user=bob, starts_at=NOW - timedelta(days=1), ends_at=NOW + timedelta(days=1),
            created_by=boss, created_at=NOW,
        )  # fmt: skip
        assert factories.shortage_case().owner == ann  # fewest cases of all

    def test_go_to_anybody_once_the_shift_is_taken_out(self, boss: User) -> None:
        factories.person("ann", "planner")
        bob = factories.person("bob", "planner")
        made = plan(boss, bob, LATE)
        drop_shift(shift_id=made.pk, actor=boss, now=NOW)
        drop_shift(shift_id=made.pk, actor=boss, now=NOW)

        cases = [factories.shortage_case() for _ in range(2)]

        assert {case.owner.username for case in cases if case.owner} == {"ann", "bob"}
        assert ExceptionCase.objects.count() == 2


class TestPlanShift:
    @pytest.mark.parametrize(
        ("field", "values"),
        [
            ("weekdays", {"weekdays": "0000000"}), ("weekdays", {"weekdays": "11"}),
            ("ends", {"hours": (time(6), time(6))}), ("role", {"role": "king"}),
            ("valid_until", {"valid": (date(2026, 2, 1), date(2026, 1, 1))}),
        ],
    )  # fmt: skip
    def test_refuses_what_is_no_shift(
        self, boss: User, field: str, values: dict[str, object]
    ) -> None:
        with pytest.raises(BadShift) as refusal:
            plan(boss, None, **{"hours": EARLY} | values)  # type: ignore[arg-type]

        assert refusal.value.errors[0]["field"] == field
        assert not Shift.objects.exists()

    def test_refuses_a_person_without_the_role(self, boss: User) -> None:
        with pytest.raises(BadShift):
            plan(boss, boss, EARLY)
