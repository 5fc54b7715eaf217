"""orders/services/crediting/_foreseeing.py"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from erp.accounts.models import Entity
from erp.governance.models import DecisionRecord
from orders.services.crediting import CreditOutlook, foresee_credit
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def outlook(limit: str = "100", **account: Any) -> CreditOutlook:
    on = make.account(limit=limit, **account)
    found = foresee_credit(customer_id=on.customer_id, entity_ids=[make.company().pk], now=make.NOW)
    return found[0]


class TestForeseeCredit:
    def test_names_the_room_and_what_holds_one_cent_beyond_it(self) -> None:
        found = outlook(receivable=Decimal(30), unapplied=Decimal(5), insured_amount=Decimal(10))

        assert (found.exposure, found.room) == (Decimal(15), Decimal(85))
        assert not found.smallest.is_held
        assert found.turning.total == Decimal("85.01")
        assert found.turning.is_held
        assert "over its credit limit" in found.turning.reason
        assert found.turning.policy_version.startswith("orders.release.credit")

    def test_finds_where_a_rule_below_the_limit_begins_to_hold(self) -> None:
        late = {"overdue_amount": Decimal(600), "overdue_since": make.TODAY}

        found = outlook(limit="1000", receivable=Decimal(600), **late)

        assert found.room == 400
        assert (found.passes, found.turning.total) == (Decimal(200), Decimal("200.01"))
        assert "80 %" in found.turning.reason

    def test_agrees_with_what_submitting_then_does(self) -> None:
        on = make.account(limit="100", receivable=Decimal(40))
        said = foresee_credit(customer_id=on.customer_id, entity_ids=[on.entity_id], now=make.NOW)[
            0
        ]
        part = make.priced("0.01")

        at_room = make.submitted(on, make.line(part, int(said.room * 100)))
        beyond = make.submitted(on, make.line(part, 1), customer_po="one cent more")

        assert (at_room.state, beyond.state) == ("released", "held")

    @pytest.mark.parametrize(
        ("account", "said"),
        [
            ({"on_hold": True}, "credit hold"),
            ({"overdue_amount": 10, "overdue_since": make.TODAY - timedelta(days=31)}, "overdue"),
            ({"limit_until": make.TODAY - timedelta(days=6)}, "ended"),
            ({"terms_days": 60}, "longer"),
        ],
    )
    def test_says_which_rule_would_hold_any_order(self, account: Any, said: str) -> None:
        found = outlook(**account)

        assert found.smallest.is_held
        assert said in found.smallest.reason
        assert found.smallest.row is not None

    def test_reckons_a_limit_for_a_time_on_its_days_alone(self) -> None:
        days = {"temporary_from": make.TODAY, "temporary_until": make.TODAY}
        on = make.account(limit="100", temporary_limit=Decimal(300), **days)

        today, tomorrow = (
            foresee_credit(customer_id=on.customer_id, entity_ids=[on.entity_id], now=moment)[0]
            for moment in (make.NOW, make.NOW + timedelta(days=1))
        )

        assert (today.limit, today.is_temporary_until) == (Decimal(300), make.TODAY)
        assert (tomorrow.limit, tomorrow.is_temporary_until) == (Decimal(100), None)

    def test_shows_no_account_of_another_entity_and_keeps_nothing(self) -> None:
        other = Entity.objects.create(code="XX", name="X", currency="EUR", country="DE")
        on = make.account()
        make.account(on.customer, other)

        found = foresee_credit(customer_id=on.customer_id, entity_ids=[on.entity_id], now=make.NOW)

        assert [each.account_id for each in found] == [on.pk]
        assert not DecisionRecord.objects.exists()
