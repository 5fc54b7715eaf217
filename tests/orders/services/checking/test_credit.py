"""orders/services/_checking/_credit.py: every rule exactly at its bound and one step beyond."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from erp.governance.models import DecisionRecord
from orders.models import Hold
from orders.services import submit_orders
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def ago(days: int) -> date:
    return make.TODAY - timedelta(days=days)


def reason_of(price: str = "10", limit: str = "100", **account: Any) -> str:
    """Submit one order of one piece; return why it is held, empty where it is released."""
    on = make.account(limit=limit, **account)
    order = make.submitted(on, make.line(make.priced(price)))
    hold = Hold.objects.filter(order=order).first()
    assert (order.state == "held") is (hold is not None)
    assert hold is None or (hold.kind, hold.owner_role) == ("credit", "credit")
    return hold.reason if hold else ""


OVER = "The order would take the account over its credit limit."


class TestTheLimit:
    @pytest.mark.parametrize(
        ("price", "account", "said"),
        [
            ("100", {}, ""),
            ("100.01", {}, OVER),
            ("60", {"receivable": 40}, ""),
            ("60.01", {"receivable": 40}, OVER),
            ("60", {"unbilled": 40}, ""),
            ("60.01", {"unbilled": 40}, OVER),
            ("60", {"committed": 40}, ""),
            ("60.01", {"committed": 40}, OVER),
            ("60", {"receivable": 50, "unapplied": 10}, ""),
            ("60.01", {"receivable": 50, "unapplied": 10}, OVER),
            ("120", {"insured_amount": 20}, ""),
            ("120.01", {"insured_amount": 20}, OVER),
            ("120", {"insured_amount": 20, "insured_until": ago(0)}, ""),
            ("120", {"insured_amount": 20, "insured_until": ago(1)}, OVER),
        ],
    )
    def test_counts_every_part_of_the_exposure(self, price, account, said) -> None:
        assert reason_of(price, **account) == said

    @pytest.mark.parametrize(
        ("price", "first", "last", "said"),
        [
            ("150", 0, 0, ""),
            ("150.01", 0, 0, OVER),
            ("150", 3, 1, OVER),  # it ended yesterday
            ("150", -1, -3, OVER),  # it begins tomorrow
            ("150", 3, -3, ""),
        ],
    )
    def test_takes_the_temporary_limit_on_its_days(self, price, first, last, said) -> None:
        days = {"temporary_from": ago(first), "temporary_until": ago(last)}

        assert reason_of(price, temporary_limit=150, **days) == said

    def test_takes_a_lower_temporary_limit_too(self) -> None:
        days = {"temporary_from": ago(0), "temporary_until": ago(0)}

        assert reason_of("50.01", temporary_limit=50, **days) == OVER

    @pytest.mark.parametrize(("days", "is_held"), [(0, False), (5, False), (6, True)])
    def test_gives_an_ended_limit_five_days_of_grace(self, days, is_held) -> None:
        assert bool(reason_of(limit_until=ago(days))) is is_held


class TestTheOtherRules:
    @pytest.mark.parametrize(("price", "is_held"), [("70", False), ("70.01", True)])
    def test_bounds_one_order(self, price, is_held) -> None:
        assert ("larger" in reason_of(price, order_limit=70)) is is_held

    @pytest.mark.parametrize(("days", "is_held"), [(30, False), (31, True)])
    def test_bounds_how_long_something_is_overdue(self, days, is_held) -> None:
        said = reason_of(overdue_amount=Decimal("0.01"), overdue_since=ago(days))

        assert ("30 days overdue" in said) is is_held

    @pytest.mark.parametrize(
        ("overdue", "receivable", "is_held"),
        [
            ("500.01", 710, True),  # 810.00 of 1,000 used
            ("500.01", 700, False),  # exactly 80 %
            ("500.01", "700.01", True),
            ("500", "700.01", False),
        ],
    )
    def test_joins_what_is_overdue_with_what_is_used(self, overdue, receivable, is_held) -> None:
        said = reason_of(
            "100",
            "1000",
            receivable=Decimal(receivable),
            overdue_amount=Decimal(overdue),
            overdue_since=ago(2),
        )

        assert ("80 %" in said) is is_held

    @pytest.mark.parametrize(
        ("terms", "agreed", "is_held"), [(30, 30, False), (31, 30, True), (14, 30, False)]
    )
    def test_holds_terms_longer_than_agreed(self, terms, agreed, is_held) -> None:
        said = reason_of(terms_days=terms, agreed_terms_days=agreed)

        assert ("longer" in said) is is_held

    def test_holds_a_stopped_account(self) -> None:
        assert "on credit hold" in reason_of(on_hold=True)


class TestTheScore:
    PAID = {"paid_count": 100, "paid_late_count": 0}

    @pytest.mark.parametrize(
        ("price", "account", "said"),
        [
            ("105", PAID, ""),
            ("105.01", PAID, OVER),
            ("105", {}, OVER),
            ("105", {"paid_count": 10, "paid_late_count": 0}, ""),  # a score of exactly 90
            ("105", {"paid_count": 9, "paid_late_count": 0}, OVER),  # 89
            ("105", PAID | {"overdue_amount": Decimal("0.01"), "overdue_since": ago(1)}, OVER),
        ],
    )
    def test_lets_good_payers_a_little_over_the_limit(self, price, account, said) -> None:
        assert reason_of(price, **account) == said

    def test_says_by_which_rule_they_went_on(self) -> None:
        on = make.account(limit="100", **self.PAID)
        order = make.submitted(on, make.line(make.priced("101")))

        kept = DecisionRecord.objects.get(
            subject_id=order.pk, version__policy__code="orders.release.credit"
        )

        assert "score" in kept.outcome["reason"]
        assert kept.inputs["score"] == 99


def test_asks_in_turn_where_a_good_payer_goes_a_little_over() -> None:
    on, part = make.account(limit="100", paid_count=100), make.priced("1")
    ids = [make.created(on, make.line(part, n)).pk for n in (60, 45, 1)]

    found = submit_orders(order_ids=ids, actor=None, now=make.NOW)

    on.refresh_from_db()
    assert [each.state for each in found] == ["released", "released", "held"]
    assert on.committed == 105
