"""erp/governance/services/_separating.py and _seconding.py: duties kept apart on one chain."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from erp.accounts.models import Entity, Role, RoleAssignment, User
from erp.governance.models import Approval, AuditEntry, DecisionRecord, SecondPerson
from erp.governance.services import (
    Act,
    Change,
    DutyConflict,
    NotYours,
    OwnRequest,
    SecondPersonNeeded,
    activate_version,
    approve,
    record,
    refuse_conflict,
    reject,
    write_version,
)
from erp.governance.services._separating import EARLIER
from erp.kernel.sql import rows, run
from tests.conftest import NOW

pytestmark = pytest.mark.django_db

CUSTOMER = "orders.customer:7"
MONTH = timedelta(days=30)


def did(
    who: User | None,
    action: str,
    at: datetime = NOW,
    thread: str = CUSTOMER,
    entity: Entity | None = None,
) -> None:
    kind, _, pk = thread.partition(":")
    change = Change(entity.pk if entity else None, action, kind, int(pk), thread)
    record(changes=[change], actor=who, now=at)


def an_act(entity: Entity, number: int = 12, *threads: str) -> Act:
    return Act(
        entity_id=entity.pk,
        kind="orders.order",
        id=number,
        label=f"SO-{number}",
        threads=[f"orders.order:{number}", *(threads or (CUSTOMER,))],
    )


def lift(entity: Entity, who: User | None, at: datetime = NOW, **values: Any) -> None:
    acts = values.pop("acts", None) or [an_act(entity)]
    refuse_conflict(actor=who, duty="orders.lift_hold", acts=acts, now=at, **values)


def controller(entity: Entity, name: str = "carla") -> User:
    user = User.objects.create_user(name)
    RoleAssignment.objects.create(user=user, entity=entity, role=Role.CONTROLLER)
    return user


class TestRefuseConflict:
    def test_names_the_act_the_person_and_the_day(self, entity: Entity, clerk: User) -> None:
        did(clerk, "orders.raise_limit", NOW - timedelta(days=3), entity=entity)

        with pytest.raises(DutyConflict) as refusal:
            lift(entity, clerk)

        assert str(refusal.value) == (
            "You raised this customer's credit limit on 19 November 2026, 09:30 UTC:"
            " somebody else decides about SO-12."
        )
        assert refusal.value.code == "duty_conflict"

    @pytest.mark.parametrize(
        ("ago", "is_refused"),
        [
            (timedelta(0), True),
            (MONTH - timedelta(seconds=1), True),
            (MONTH, True),
            (MONTH + timedelta(microseconds=1), False),
            (MONTH + timedelta(seconds=1), False),
        ],
    )
    def test_counts_the_days_to_the_second(
        self, entity: Entity, clerk: User, ago: timedelta, *, is_refused: bool
    ) -> None:
        did(clerk, "orders.raise_limit", NOW - ago)

        if is_refused:
            with pytest.raises(DutyConflict):
                lift(entity, clerk)
        else:
            lift(entity, clerk)

    def test_counts_every_account_of_the_same_employee(self, entity: Entity) -> None:
        one = User.objects.create_user("mira", first_name="Mira", employee_ref="E-7")
        twin = User.objects.create_user("mira2", employee_ref="E-7")
        stranger = User.objects.create_user("noref")
        did(one, "orders.raise_limit")

        with pytest.raises(DutyConflict, match=r"^You, as Mira, raised"):
            lift(entity, twin)
        lift(entity, stranger)

    def test_an_empty_employee_joins_nobody(self, entity: Entity, clerk: User) -> None:
        other = User.objects.create_user("other", employee_ref="")
        did(other, "orders.raise_limit")

        lift(entity, clerk)

    def test_counts_those_for_whom_the_person_acts(self, entity: Entity, clerk: User) -> None:
        absent = User.objects.create_user("absent", first_name="Ann")
        did(absent, "orders.raise_limit")

        lift(entity, clerk)
        with pytest.raises(DutyConflict, match=r"^You, as Ann, raised"):
            lift(entity, clerk, on_behalf_of=[absent.pk])

    def test_exempts_no_superuser_but_the_house(self, entity: Entity) -> None:
        root = User.objects.create_superuser("root")
        did(root, "orders.raise_limit")
        did(None, "orders.raise_limit")

        with pytest.raises(DutyConflict):
            lift(entity, root)
        lift(entity, None)

    def test_looks_at_the_chain_of_the_document_alone(self, entity: Entity, clerk: User) -> None:
        did(clerk, "orders.raise_limit", thread="orders.customer:8")
        did(clerk, "orders.view", thread=CUSTOMER)
        elsewhere = Entity.objects.create(code="DE01", name="D", currency="EUR", country="DE")
        did(clerk, "orders.raise_limit", entity=elsewhere)

        lift(entity, clerk)

        assert DecisionRecord.objects.filter(version__policy__code="governance.duty_chain").exists()

    def test_finds_the_one_order_of_a_batch(self, entity: Entity, clerk: User) -> None:
        did(clerk, "orders.create", thread="orders.order:14")
        acts = [an_act(entity, number) for number in range(10, 20)]

        with pytest.raises(DutyConflict, match="somebody else decides about SO-14"):
            lift(entity, clerk, acts=acts)

    def test_asks_once_for_a_batch(
        self, entity: Entity, clerk: User, django_assert_num_queries: Any
    ) -> None:
        acts = [an_act(entity, number) for number in range(10, 200)]
        lift(entity, clerk, acts=acts)  # the policy is read

        with django_assert_num_queries(3):  # with its savepoint's two
            lift(entity, clerk, acts=acts)

    def test_follows_the_table_in_force(self, entity: Entity, clerk: User) -> None:
        did(clerk, "orders.raise_limit")
        rows_ = [{"when": [], "then": {"effect": "allow", "said": ""}}]
        version = write_version(
            policy="governance.duty_chain",
            entity_id=entity.pk,
            table={"hit": "first", "rows": rows_},
            author=User.objects.create_user("author"),
            now=NOW,
        )
        other = User.objects.create_user("activator")
        activate_version(version_id=version.pk, actor=other, now=NOW)

        lift(entity, clerk)

    def test_reads_the_trail_by_the_index_of_its_threads(self, entity: Entity, clerk: User) -> None:
        run(
            "INSERT INTO governance_auditentry (at, actor_id, actor_kind, action, subject_kind,"
            " subject_id, thread, reason, request_id, policy_version)"
            " SELECT %(at)s, %(who)s, 'person', 'orders.submit', 'orders.order', mod(n, 4000),"
            " 'orders.order:' || mod(n, 4000), '', '', '' FROM generate_series(1, 20000) n",
            {"at": NOW, "who": clerk.pk},
        )
        run("ANALYZE governance_auditentry")
        asked = {
            "places": [0, 1],
            "threads": ["orders.order:5", CUSTOMER],
            "entities": [entity.pk] * 2,
            "people": [clerk.pk],
            "since": NOW - MONTH,
            "now": NOW,
        }

        plan = "\n".join(row[0] for row in rows("EXPLAIN " + EARLIER, asked))

        assert "Index Scan using governance_audit_thread" in plan or (
            "Bitmap Index Scan on governance_audit_thread" in plan
        )
        assert "Seq Scan on governance_auditentry" not in plan


class TestSecondPerson:
    def refused(self, entity: Entity, who: User) -> SecondPersonNeeded:
        did(who, "orders.change_account", NOW - timedelta(days=1))
        with pytest.raises(SecondPersonNeeded) as refusal:
            lift(entity, who)
        return refusal.value

    def asked(self, entity: Entity, who: User) -> Approval:
        self.refused(entity, who).follow_up(NOW)
        return Approval.objects.get(document_kind="governance.second_person", state="pending")

    def agree(self, approval: Approval, who: User) -> None:
        approve(approval_id=approval.pk, actor=who, fingerprint=approval.fingerprint, now=NOW)

    def test_lets_exactly_that_action_through_once(self, entity: Entity, clerk: User) -> None:
        approval = self.asked(entity, clerk)
        with pytest.raises(SecondPersonNeeded):
            lift(entity, clerk)

        self.agree(approval, controller(entity))
        with pytest.raises(SecondPersonNeeded):  # another document
            lift(entity, clerk, acts=[an_act(entity, 13)])
        lift(entity, clerk)

        assert SecondPerson.objects.get().used_at == NOW
        with pytest.raises(SecondPersonNeeded):
            lift(entity, clerk)

    def test_lets_nobody_else_through(self, entity: Entity) -> None:
        one = User.objects.create_user("one", employee_ref="E-1")
        twin = User.objects.create_user("twin", employee_ref="E-1")
        self.agree(self.asked(entity, one), controller(entity))

        with pytest.raises(SecondPersonNeeded):
            lift(entity, twin)
        lift(entity, one)

    def test_is_asked_anew_about_what_came_later(self, entity: Entity, clerk: User) -> None:
        self.agree(self.asked(entity, clerk), controller(entity))
        did(clerk, "orders.change_customer")

        with pytest.raises(SecondPersonNeeded):
            lift(entity, clerk)

    def test_is_nobody_who_did_the_same_nor_the_person(self, entity: Entity, clerk: User) -> None:
        too = controller(entity, "too")
        did(too, "orders.change_account")
        approval = self.asked(entity, clerk)
        RoleAssignment.objects.create(user=clerk, entity=entity, role=Role.CONTROLLER)

        for who in (too, clerk):
            with pytest.raises(OwnRequest):
                self.agree(approval, who)
        with pytest.raises(NotYours):
            self.agree(approval, User.objects.create_user("nobody"))

    def test_is_asked_once_and_may_refuse(self, entity: Entity, clerk: User) -> None:
        refusal = self.refused(entity, clerk)
        refusal.follow_up(NOW)
        refusal.follow_up(NOW)
        approval = Approval.objects.get()

        reject(approval_id=approval.pk, actor=controller(entity), reason="No.", now=NOW)

        with pytest.raises(SecondPersonNeeded):
            lift(entity, clerk)
        assert SecondPerson.objects.get().used_at is None
        assert AuditEntry.objects.filter(action="governance.ask_second_person").count() == 1

    def test_never_lifts_a_block(self, entity: Entity, clerk: User) -> None:
        self.agree(self.asked(entity, clerk), controller(entity))
        did(clerk, "orders.raise_limit")

        with pytest.raises(DutyConflict) as refusal:
            lift(entity, clerk)

        assert refusal.value.code == "duty_conflict"
        assert SecondPerson.objects.get().used_at is None
