"""erp/governance/selectors/_reciprocal.py: who approves for one another."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from erp.accounts.models import Entity, User
from erp.governance.models import Approval, ApprovalStep
from erp.governance.selectors import approval_rings
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


def person(name: str, employee_ref: str = "") -> User:
    return User.objects.get_or_create(
        username=name, defaults={"employee_ref": employee_ref or name}
    )[0]


def agreed(
    entity: Entity, by: str, asker: str, money: str = "10 USD", at: datetime = NOW
) -> None:  # fmt: skip
    amount, currency = money.split()
    number = Approval.objects.count() + 1
    asked = Approval(
        entity=entity, document_kind="test.document", document_id=number, document_label="D",
        permission="x.y", amount=Decimal(amount), currency=currency, fingerprint="f",
        requested_by=person(asker), requested_at=at,
    )  # fmt: skip
    asked.approve(by_id=person(by).pk, at=at)
    asked.save()
    step = ApprovalStep(approval=asked, number=1, permission="x.y")
    step.open(at=at)
    step.agree(by_id=person(by).pk, on_behalf_of_id=None, at=at)
    step.save()


def rings(entity: Entity, since: datetime = NOW - WEEK) -> list[list[str]]:
    return [list(ring.people) for ring in approval_rings(entity_ids=[entity.pk], since=since)]


class TestApprovalRings:
    def test_finds_a_pair_with_counts_and_money_by_currency(self, entity: Entity) -> None:
        agreed(entity, "a", "b", "10 USD")
        agreed(entity, "a", "b", "5.50 USD")
        agreed(entity, "a", "b", "7 EUR")
        agreed(entity, "b", "a", "1 USD")
        agreed(entity, "a", "c", "99 USD")

        (ring,) = approval_rings(entity_ids=[entity.pk], since=NOW - WEEK)

        assert list(ring.people) == ["a", "b"]
        assert ring.times == 1
        assert [(e.approver, e.asker, e.times) for e in ring.agreements] == [
            ("a", "b", 3), ("b", "a", 1),
        ]  # fmt: skip
        assert ring.agreements[0].amounts == {"USD": Decimal("15.5"), "EUR": Decimal(7)}

    def test_finds_rings_of_up_to_four_once_each(self, entity: Entity) -> None:
        for by, asker in ("ab", "bc", "cd", "da", "ef", "fg", "gh", "hi", "ie"):
            agreed(entity, by, asker)

        assert rings(entity) == [["a", "b", "c", "d"]]

    def test_puts_pairs_before_rings(self, entity: Entity) -> None:
        for by, asker in ("ab", "bc", "ca", "ba"):
            agreed(entity, by, asker)

        assert rings(entity) == [["a", "b"], ["a", "b", "c"]]

    def test_takes_the_accounts_of_one_employee_as_one(self, entity: Entity) -> None:
        person("mira", "E-7")
        person("mira2", "E-7")
        agreed(entity, "mira", "karl")
        agreed(entity, "karl", "mira2")
        agreed(entity, "mira", "mira2")

        (found,) = rings(entity)
        assert sorted(found) == ["karl", "mira"]

    def test_looks_no_further_back_and_into_no_other_entity(self, entity: Entity) -> None:
        other = Entity.objects.create(code="DE01", name="D", currency="EUR", country="DE")
        agreed(entity, "a", "b", at=NOW - WEEK - timedelta(microseconds=1))
        agreed(entity, "b", "a")
        agreed(other, "c", "d")
        agreed(other, "d", "c")

        assert rings(entity) == []
        assert rings(entity, NOW - WEEK - timedelta(microseconds=1)) == [["a", "b"]]

    def test_is_bounded(self, entity: Entity) -> None:
        for by in "abcdefgh":
            for asker in "abcdefgh":
                if by != asker:
                    agreed(entity, by, asker)

        assert len(approval_rings(entity_ids=[entity.pk], since=NOW - WEEK, limit=7)) == 7
