"""erp/governance/services/_deciding.py: the active version answers, and every answer is kept."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.utils import InternalError

from erp.accounts.models import Entity, User
from erp.governance.models import DecisionRecord, PolicyVersion
from erp.governance.selectors import decisions_of
from erp.governance.services import (
    Fact,
    Question,
    UnknownPolicy,
    WrongFacts,
    activate_version,
    decide,
    write_version,
)
from erp.kernel.sql import run
from tests.conftest import NOW

CREDIT = "orders.release.credit"
NO_HOLD = {"hold": False, "owner_role": "", "reason": ""}
ALL_HELD = {"hold": True, "owner_role": "controller", "reason": "All are held."}


def question(entity: Entity, subject_id: int = 7, **facts: Fact) -> Question:
    return Question(entity.pk, "orders.order", subject_id, facts)


def own_version(entity: Entity | None, outcome: dict, by: str = "author") -> PolicyVersion:
    author = User.objects.get_or_create(username=by)[0]
    boss = User.objects.get_or_create(username=f"not-{by}")[0]
    version = write_version(
        policy=CREDIT,
        entity_id=entity and entity.pk,
        table={"rows": [{"when": [], "then": outcome}]},
        author=author,
        now=NOW,
    )
    return activate_version(version_id=version.pk, actor=boss, now=NOW)


@pytest.mark.django_db
class TestDecide:
    def test_answers_and_keeps_in_order(self, entity: Entity) -> None:
        exposures = ["100.00", "100.01", "99.99"]
        asked = [
            question(entity, n, limit=Decimal(100), exposure_after=Decimal(exposure))
            for n, exposure in enumerate(exposures)
        ]

        decided = decide(policy=CREDIT, questions=asked, now=NOW)

        assert [d.outcome["hold"] for d in decided] == [False, True, False]
        assert decided[1].outcome["owner_role"] == "credit"
        assert decided[1].policy_version == "orders.release.credit v1"
        kept = DecisionRecord.objects.order_by("pk")
        assert [record.subject_id for record in kept] == [0, 1, 2]
        assert kept[1].inputs == {"limit": "100", "exposure_after": "100.01"}
        assert (kept[1].row, kept[1].version_id) == (decided[1].row, decided[1].version_id)
        assert decisions_of("orders.order", 1)[0].outcome["hold"] is True

    def test_keeps_nothing_when_asked_not_to(self, entity: Entity) -> None:
        decide(policy=CREDIT, questions=[question(entity)], now=NOW, keep=False)

        assert not DecisionRecord.objects.exists()

    def test_an_entity_s_own_version_beats_everybody_s(self, entity: Entity) -> None:
        far = Entity.objects.create(code="DE01", name="DE", currency="EUR", country="DE")
        own_version(entity, ALL_HELD)

        here, there = decide(policy=CREDIT, questions=[question(entity), question(far)], now=NOW)

        assert (here.outcome["hold"], there.outcome["hold"]) == (True, False)
        assert here.policy_version == "orders.release.credit v2"

    def test_takes_two_statements_for_many_and_one_more_each_time(
        self, entity: Entity, django_assert_num_queries
    ) -> None:
        asked = [question(entity, n, on_hold=bool(n % 2)) for n in range(500)]
        decide(policy=CREDIT, questions=asked[:1], now=NOW)

        with transaction.atomic():
            with django_assert_num_queries(1):
                decide(policy=CREDIT, questions=asked, now=NOW)
            with django_assert_num_queries(0):
                decide(policy="orders.classify", questions=[], now=NOW)

    def test_refuses_what_nobody_declared(self, entity: Entity) -> None:
        for policy, facts, refusal in [
            (CREDIT, {"colour": "red"}, WrongFacts),
            (CREDIT, {"on_hold": "yes"}, WrongFacts),
            ("no.such", {}, UnknownPolicy),
        ]:
            with pytest.raises(refusal), transaction.atomic():
                decide(policy=policy, questions=[question(entity, **facts)], now=NOW)

        assert not DecisionRecord.objects.exists()

    def test_what_was_decided_cannot_be_changed(self, entity: Entity) -> None:
        decide(policy=CREDIT, questions=[question(entity)], now=NOW)

        for statement in (
            "UPDATE governance_decisionrecord SET outcome = '{}'",
            "DELETE FROM governance_decisionrecord",
        ):
            with (
                pytest.raises(InternalError, match="Cannot update or delete"),
                transaction.atomic(),
            ):
                run(statement)

        assert DecisionRecord.objects.count() == 1

    def test_the_table_of_a_version_in_force_cannot_be_changed(self) -> None:
        with pytest.raises(InternalError), transaction.atomic():
            run("UPDATE governance_policyversion SET \"table\" = '{}' WHERE state = 'active'")


@pytest.mark.django_db(transaction=True)
class TestAcrossTransactions:
    def test_the_next_transaction_decides_by_the_new_version(self, entity: Entity) -> None:
        def held() -> bool:
            found = decide(policy=CREDIT, questions=[question(entity)], now=NOW, keep=False)
            return bool(found[0].outcome["hold"])

        with transaction.atomic():
            before = held()
        own_version(entity, ALL_HELD)
        with transaction.atomic():
            after = held()
        own_version(entity, NO_HOLD, by="another")

        assert [before, after, held()] == [False, True, False]

    def test_what_a_rolled_back_transaction_read_is_forgotten(self, entity: Entity) -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            own_version(entity, ALL_HELD)
            assert decide(policy=CREDIT, questions=[question(entity)], now=NOW)[0].outcome["hold"]
            raise RuntimeError

        found = decide(policy=CREDIT, questions=[question(entity)], now=NOW + timedelta(days=1))

        assert found[0].outcome["hold"] is False
        assert not any(call for call in connection.run_on_commit)
