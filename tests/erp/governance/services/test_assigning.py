"""erp/governance/services/_assigning.py and selectors/_duties.py: who may hold what together."""

from datetime import timedelta

import pytest

from erp.accounts.models import Entity, Role, RoleAssignment, User
from erp.governance.models import AuditEntry, DutyMitigation
from erp.governance.selectors import duty_conflicts, role_conflicts
from erp.governance.services import (
    BadMitigation,
    ConflictingRole,
    OwnRole,
    end_role,
    grant_role,
    mitigate_conflict,
    revoke_mitigation,
)
from tests.conftest import NOW

pytestmark = pytest.mark.django_db

LIMIT, SUBMIT = "orders.change_credit_limit", "orders.submit_order"


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_user("boss")


def holds(user: User, entity: Entity, *roles: Role) -> User:
    for role in roles:
        RoleAssignment.objects.create(user=user, entity=entity, role=role)
    return user


def counting(entity: Entity, at: timedelta = timedelta(0)) -> list[tuple[str, str, str]]:
    found = duty_conflicts(entity_ids=[entity.pk], now=NOW + at)
    return [(row.name, row.pair.one, row.pair.other) for row in found if row.counts]


def bear(person: User, entity: Entity, actor: User, days: int = 10, reason: str = "Small") -> int:
    return mitigate_conflict(
        person=person, entity_id=entity.pk, one=SUBMIT, other=LIMIT, reason=reason,
        until=NOW + timedelta(days=days), actor=actor, now=NOW,
    ).pk  # fmt: skip


class TestDutyConflicts:
    def test_sees_through_several_roles(self, entity: Entity, clerk: User) -> None:
        holds(clerk, entity, Role.CREDIT, Role.ORDER_DESK)

        (row,) = duty_conflicts(entity_ids=[entity.pk], now=NOW)

        assert (row.pair.one, row.pair.other, row.pair.risk) == (LIMIT, SUBMIT, "high")
        assert row.through == ["clerk · credit", "clerk · order_desk"]

    def test_sees_through_several_accounts(self, entity: Entity) -> None:
        one = User.objects.create_user("mira", employee_ref="E-7")
        two = User.objects.create_user("mira2", employee_ref="E-7")
        holds(one, entity, Role.CREDIT)
        holds(two, entity, Role.ORDER_DESK)

        (row,) = duty_conflicts(entity_ids=[entity.pk], now=NOW)

        assert row.account_ids == [one.pk, two.pk]
        assert row.through == ["mira · credit", "mira2 · order_desk"]

    def test_keeps_entities_and_people_apart(self, entity: Entity, clerk: User) -> None:
        other = Entity.objects.create(code="DE01", name="D", currency="EUR", country="DE")
        holds(clerk, entity, Role.CREDIT)
        holds(clerk, other, Role.ORDER_DESK)
        holds(User.objects.create_user("else"), entity, Role.ORDER_DESK)

        assert duty_conflicts(entity_ids=[entity.pk, other.pk], now=NOW) == []

    def test_exempts_no_superuser_but_who_has_left(self, entity: Entity) -> None:
        User.objects.create_superuser("root")
        User.objects.create_superuser("gone", is_active=False)

        assert {name for name, _, _ in counting(entity)} == {"root"}

    def test_forgets_a_role_that_has_ended(self, entity: Entity, clerk: User) -> None:
        holds(clerk, entity, Role.CREDIT, Role.ORDER_DESK)
        RoleAssignment.objects.filter(role=Role.CREDIT).update(valid_until=NOW)

        assert counting(entity) == []
        assert counting(entity, timedelta(seconds=-1)) != []

    def test_names_roles_that_hold_both(self) -> None:
        found = {(row.role, row.pair.one) for row in role_conflicts(entity_id=None, now=NOW)}

        assert ("controller", "finance.close_period") in found


class TestGrantRole:
    def test_refuses_what_would_conflict_and_changes_nothing(
        self, entity: Entity, clerk: User, boss: User
    ) -> None:
        holds(clerk, entity, Role.CREDIT)

        with pytest.raises(ConflictingRole, match=r"orders\.submit_order"):
            grant_role(user=clerk, entity=entity, role=Role.ORDER_DESK, actor=boss, now=NOW)

        assert list(clerk.roles.values_list("role", flat=True)) == ["credit"]

    def test_refuses_by_a_second_account_too(self, entity: Entity, boss: User) -> None:
        holds(User.objects.create_user("one", employee_ref="E"), entity, Role.CREDIT)
        twin = User.objects.create_user("two", employee_ref="E")

        with pytest.raises(ConflictingRole):
            grant_role(user=twin, entity=entity, role=Role.ORDER_DESK, actor=boss, now=NOW)

    def test_warns_where_the_policy_only_warns(
        self, entity: Entity, clerk: User, boss: User
    ) -> None:
        holds(clerk, entity, Role.CREDIT)

        warned = grant_role(user=clerk, entity=entity, role=Role.AR, actor=boss, now=NOW)

        assert [(row.pair.one, row.pair.other) for row in warned] == [
            ("finance.post_payment", LIMIT)
        ]
        entry = AuditEntry.objects.get(action="governance.grant_role")
        assert (entry.actor, entry.after["role"]) == (boss, "ar")

    def test_lets_through_what_is_borne(self, entity: Entity, clerk: User, boss: User) -> None:
        holds(clerk, entity, Role.CREDIT)
        bear(clerk, entity, boss)

        grant_role(user=clerk, entity=entity, role=Role.ORDER_DESK, actor=boss, now=NOW)
        grant_role(user=clerk, entity=entity, role=Role.ORDER_DESK, actor=boss, now=NOW)

        assert clerk.roles.count() == 2
        assert AuditEntry.objects.filter(action="governance.grant_role").count() == 1

    def test_gives_nobody_a_role_of_their_own(self, entity: Entity) -> None:
        one = User.objects.create_superuser("one", employee_ref="E")
        twin = User.objects.create_user("twin", employee_ref="E")

        for user in (one, twin):
            with pytest.raises(OwnRole):
                grant_role(user=user, entity=entity, role=Role.BUYER, actor=one, now=NOW)

        assert not RoleAssignment.objects.exists()

    def test_takes_a_role_away_once(self, entity: Entity, clerk: User, boss: User) -> None:
        holds(clerk, entity, Role.CREDIT)

        for _ in range(2):
            end_role(user=clerk, entity=entity, role=Role.CREDIT, actor=boss, now=NOW)

        assert not clerk.roles.exists()
        assert AuditEntry.objects.filter(action="governance.end_role").count() == 1


class TestMitigateConflict:
    def test_counts_again_from_the_second_it_ends(
        self, entity: Entity, clerk: User, boss: User
    ) -> None:
        holds(clerk, entity, Role.CREDIT, Role.ORDER_DESK)
        bear(clerk, entity, boss, days=10)

        assert counting(entity, timedelta(days=10) - timedelta(seconds=1)) == []
        assert len(counting(entity, timedelta(days=10))) == 1

    def test_is_recorded_by_nobody_concerned(self, entity: Entity, boss: User) -> None:
        one = User.objects.create_user("one", employee_ref="E")
        twin = User.objects.create_user("twin", employee_ref="E")

        for actor in (one, twin):
            with pytest.raises(BadMitigation, match="your own"):
                bear(one, entity, actor)
        with pytest.raises(BadMitigation):
            bear(one, entity, boss, days=0)
        with pytest.raises(BadMitigation):
            bear(one, entity, boss, reason=" ")

        assert not DutyMitigation.objects.exists()

    def test_takes_the_former_s_place_and_can_be_ended(
        self, entity: Entity, clerk: User, boss: User
    ) -> None:
        holds(clerk, entity, Role.CREDIT, Role.ORDER_DESK)
        first, second = bear(clerk, entity, boss), bear(clerk, entity, boss, reason="Anew")

        for _ in range(2):
            revoke_mitigation(mitigation_id=second, actor=boss, now=NOW)

        assert DutyMitigation.objects.get(pk=first).revoked_by == boss
        assert len(counting(entity)) == 1
        assert list(
            AuditEntry.objects.filter(thread=f"accounts.user:{clerk.pk}").values_list(
                "action", flat=True
            )
        ) == ["governance.mitigate_conflict"] * 2 + ["governance.revoke_mitigation"]
