"""orders/services/_checking/_price.py: every rule exactly at its bound and one step beyond."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from erp.accounts.models import Role
from erp.governance.models import DecisionRecord
from orders.models import Hold, Order
from orders.services import submit_order
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def reason_of(order: Order) -> str:
    hold = Hold.objects.filter(order=order, kind="price").first()
    assert hold is None or hold.owner_role == "pricing"
    return hold.reason if hold else ""


def entered(price: str, role: Role | None, discount: str = "0", channel: str = "page") -> str:
    """Submit one line of a product that the book sells at 100; return why it is held."""
    part = make.priced("100")
    author = make.person(f"author-{part.pk}", role) if role else None
    line = make.line(part, unit_price=Decimal(price), discount=Decimal(discount))
    return reason_of(make.submitted(make.account(), line, actor=author, channel=channel))


class TestTheToleranceOfItsAuthor:
    @pytest.mark.parametrize(
        ("role", "price", "discount", "is_held"),
        [
            (Role.ORDER_DESK, "75", "0", False),
            (Role.ORDER_DESK, "74.9999", "0", True),
            (Role.ORDER_DESK, "100", "0.25", False),
            (Role.ORDER_DESK, "100", "0.2501", True),
            (Role.CUSTOMER_SERVICE, "75", "0", False),
            (Role.CUSTOMER_SERVICE, "74.99", "0", True),
            (Role.PARTNER, "100", "0", False),
            (Role.PARTNER, "99.9999", "0", True),
            (Role.WAREHOUSE, "99.9999", "0", True),
            (Role.PRICING, "50", "0", False),
            (Role.PRICING, "49.9999", "0", True),
            (Role.ORDER_DESK, "130", "0", False),
        ],
    )
    def test_holds_what_is_too_far_below_the_book(self, role, price, discount, is_held) -> None:
        assert bool(entered(price, role, discount)) is is_held

    def test_counts_the_role_that_may_most(self) -> None:
        part = make.priced("100")
        author = make.person("both", Role.ORDER_DESK)
        make.RoleAssignment.objects.create(user=author, entity=make.company(), role="pricing")
        line = make.line(part, unit_price=Decimal(60))

        assert reason_of(make.submitted(make.account(), line, actor=author)) == ""

    @pytest.mark.parametrize(("price", "is_held"), [("98", False), ("97.9999", True)])
    def test_compares_what_customers_send(self, price, is_held) -> None:
        assert bool(entered(price, None, channel="edi")) is is_held

    @pytest.mark.parametrize(
        ("price", "discount", "is_held"), [("62.5", "0.2", False), ("62.5", "0.2001", True)]
    )
    def test_bounds_price_and_discount_stacked(self, price, discount, is_held) -> None:
        said = entered(price, Role.PRICING, discount)

        assert ("together" in said) is is_held

    def test_compares_with_the_contract_where_there_is_one(self) -> None:
        part, on = make.priced("100"), make.account()
        make.listed(part, "80", customer_id=on.customer_id)
        author = make.person("desk", Role.ORDER_DESK)
        line = make.line(part, unit_price=Decimal(60))  # 25 % below the contract

        assert reason_of(make.submitted(on, line, actor=author)) == ""


class TestAPriceThatMoved:
    def released_after(self, days: int, price: str) -> str:
        part = make.priced("100")
        order = make.created(make.account(), make.line(part))
        Order.objects.filter(pk=order.pk).update(created_at=make.NOW - timedelta(days=days))
        make.listed(part, price, valid_from=date(2026, 11, 22))
        submit_order(order_id=order.pk, actor=None, now=make.NOW)
        return reason_of(order)

    @pytest.mark.parametrize(
        ("price", "is_held"),
        [("102", False), ("98.0393", False), ("105", True), ("90", True)],
    )
    def test_holds_what_the_book_would_price_otherwise_today(self, price, is_held) -> None:
        assert ("moved" in self.released_after(2, price)) is is_held

    def test_takes_a_price_of_the_last_ten_minutes_as_read(self) -> None:
        assert self.released_after(0, "200") == ""


def test_passes_what_the_book_has_no_price_for_and_says_so() -> None:
    part = make.product()
    order = make.submitted(make.account(), make.line(part, unit_price=Decimal(5)))

    kept = DecisionRecord.objects.get(
        subject_id=order.pk, version__policy__code="orders.release.price"
    )
    assert (order.state, kept.inputs["unpriced"]) == ("released", 1)
    assert "no price" in kept.outcome["reason"]
