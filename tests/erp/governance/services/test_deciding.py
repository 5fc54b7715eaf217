"""erp/governance/services/_deciding.py: the active version answers, and every answer is kept."""

from decimal import Decimal

from erp.accounts.models import Entity
from erp.governance.models import DecisionRecord
from erp.governance.services import Fact, Question, decide
from tests.conftest import NOW


def question(entity: Entity, **facts: Fact) -> Question:
    return Question(entity.pk, "orders.order", 7, facts)


class TestDecide:
    def test_answers_and_keeps(self, entity) -> None:
        asked = [
            question(entity, limit=Decimal(100), exposure_after=Decimal(exposure))
            for exposure in ("100.00", "100.01")
        ]

        at_limit, over = decide(policy="orders.release.credit", questions=asked, now=NOW)

        assert at_limit.outcome["hold"] is False
        assert over.outcome["hold"] is True
        assert over.outcome["owner_role"] == "credit"
        assert DecisionRecord.objects.count() == 2
