"""orders/services/_rechecking.py: what is corrected clears its hold, by the rule that now holds."""

from decimal import Decimal

import pytest

from erp.accounts.models import Role
from erp.governance.models import AuditEntry, DecisionRecord
from erp.outbox.models import Message
from inventory.models import Product
from orders.models import CreditAccount, Hold, Order
from orders.services import (
    Amendment,
    LineCancel,
    LineChange,
    amend_order,
    cancel_lines,
    place_hold,
    submit_order,
)
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
PRICE = "orders.release.price"
BOUND = "75.0000"  # what the order desk may give of a book price of 100


def held(price: str = "74.9999", **values: object) -> Order:
    """An order of the desk: one line at the book's price, one too far below it."""
    author = make.person("author", Role.ORDER_DESK)
    good, cheap = make.priced("100"), make.priced("100")
    lines = [make.line(good, 2), make.line(cheap, 3, unit_price=Decimal(price))]
    on = values.pop("on", None) or make.account()
    order = make.submitted(on, *lines, actor=author, **values)  # type: ignore[arg-type]
    assert kinds(order) == ["price"]
    return order


def kinds(order: Order) -> list[str]:
    found = Hold.objects.filter(order=order, state="active").order_by("kind")
    return list(found.values_list("kind", flat=True))


def amend(order: Order, place: int, **values: Decimal | int) -> Order:
    line = make.lines_of(order)[place]
    change = LineChange(line.pk, **values)  # type: ignore[arg-type]
    return amend_order(
        order_id=order.pk, amendment=Amendment(lines=[change]), actor=None, now=make.NOW
    )


def lifts() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action__endswith="_hold").order_by("id"))


class TestThePriceHold:
    @pytest.mark.parametrize(
        ("price", "state"), [(BOUND, "released"), ("74.9999", "held"), ("80", "released")]
    )
    def test_clears_at_the_bound_and_not_a_step_below(self, price, state) -> None:
        order = held("70")

        order = amend(order, 1, unit_price=Decimal(price))

        assert order.state == state
        assert kinds(order) == ([] if state == "released" else ["price"])
        assert len(lifts()) == (state == "released")

    def test_clears_when_its_line_is_taken_off(self) -> None:
        order = held()

        order = amend(order, 1, quantity=Decimal(0))

        assert (order.state, kinds(order)) == ("released", [])
        assert CreditAccount.objects.get().committed == 200

    def test_stays_when_another_line_is_taken_off(self) -> None:
        order = held()

        order = amend(order, 0, quantity=Decimal(0))

        assert (order.state, kinds(order)) == ("held", ["price"])
        assert lifts() == []

    def test_clears_when_its_line_is_cancelled(self) -> None:
        order = held()
        cheap = make.lines_of(order)[1]

        order = cancel_lines(
            order_id=order.pk, lines=[LineCancel(cheap.pk)], actor=None, reason="x", now=make.NOW
        )

        assert (order.state, kinds(order)) == ("released", [])
        assert Message.objects.filter(name="orders.order_released").count() == 1

    def test_stays_when_another_line_is_cancelled(self) -> None:
        order = held()
        good = make.lines_of(order)[0]

        order = cancel_lines(
            order_id=order.pk, lines=[LineCancel(good.pk)], actor=None, reason="x", now=make.NOW
        )

        assert (order.state, kinds(order)) == ("held", ["price"])

    def test_the_story_names_the_rule_that_lets_it_go(self) -> None:
        order = amend(held(), 1, unit_price=Decimal(100))

        (entry,) = lifts()
        assert entry.action == "orders.lift_price_hold"
        assert entry.thread == f"orders.order:{order.pk}"
        assert entry.after["rule"].startswith("orders.release.price v1 row ")
        assert entry.after["cleared"] == "More than 25 % below the book's price."
        assert entry.reason == "The order was changed"
        kept = DecisionRecord.objects.filter(subject_id=order.pk, version__policy__code=PRICE)
        assert [each.outcome["hold"] for each in kept.order_by("pk")] == [True, False]
        lifted = Message.objects.get(name="orders.hold_lifted")
        assert lifted.payload["kind"] == "price"

    def test_a_forced_one_stays(self) -> None:
        order = held()
        place_hold(order_id=order.pk, reason="Look first", actor=None, now=make.NOW, is_forced=True)

        order = amend(order, 1, quantity=Decimal(0))

        assert order.state == "held"
        assert kinds(order) == ["manual", "price"]


class TestOtherHolds:
    def test_one_clears_while_another_stays_and_the_last_lets_go(self) -> None:
        order = held(on=make.account(limit="425"))
        amend(order, 0, quantity=Decimal(5))
        assert kinds(Order.objects.get()) == ["credit", "price"]

        order = amend(order, 1, unit_price=Decimal(100))
        assert (order.state, kinds(order)) == ("held", ["credit"])

        order = amend(order, 0, quantity=Decimal(1))
        assert (order.state, kinds(order)) == ("released", [])
        assert CreditAccount.objects.get().committed == 400

    def test_a_blocked_product_clears_completeness_when_it_is_taken_off(self) -> None:
        part, other = make.priced("10"), make.priced("10")
        order = make.created(make.account(), make.line(part), make.line(other))
        Product.objects.filter(pk=other.pk).update(is_blocked=True)

        submit_order(order_id=order.pk, actor=None, now=make.NOW)
        assert kinds(order) == ["completeness"]

        order = amend(order, 1, quantity=Decimal(0))

        assert (order.state, kinds(order)) == ("released", [])
        assert lifts()[0].after["rule"].startswith("orders.release.completeness v1")

    def test_another_content_clears_a_duplicate(self) -> None:
        part, on = make.priced("10"), make.account()
        make.submitted(on, make.line(part, 3), customer_po="PO-1")
        twin = make.submitted(on, make.line(part, 3), customer_po="PO-1")
        assert kinds(twin) == ["duplicate"]

        amend_order(
            order_id=twin.pk, amendment=Amendment(customer_po="PO-2"), actor=None, now=make.NOW
        )
        assert kinds(twin) == ["duplicate"]  # its number is no line
        amend(twin, 0, quantity=Decimal(4))

        assert kinds(twin) == []

    def test_a_date_asks_no_hold_of_the_lines(self) -> None:
        order = held()
        before = DecisionRecord.objects.filter(version__policy__code=PRICE).count()

        amend_order(
            order_id=order.pk,
            amendment=Amendment(external_ref="X-1"),
            actor=None,
            now=make.NOW,
        )

        asked = DecisionRecord.objects.filter(version__policy__code=PRICE).count()
        assert (before, asked) == (1, 1)
        assert kinds(order) == ["price"]
