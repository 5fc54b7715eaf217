"""orders/services/_submitting.py, with _checking and _releasing."""

from datetime import timedelta
from decimal import Decimal

import pytest

from erp.governance.models import AuditEntry, DecisionRecord
from erp.outbox.models import Message
from orders.models import Hold, Order
from orders.services import OrderCancelled, cancel_order, submit_order, submit_orders
from orders.services._checking import KINDS
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


class TestSubmitOrder:
    def test_releases_a_sound_order_and_commits_its_credit(self, clerk) -> None:
        on = make.account(limit="100")
        order = make.created(on, make.line(make.priced("10"), 3), freight=Decimal("4.50"))

        found = submit_order(order_id=order.pk, actor=clerk, now=make.NOW)

        order = Order.objects.get(pk=order.pk)
        on.refresh_from_db()
        assert (found.state, found.holds, found.number) == ("released", [], order.number)
        assert (order.state, order.submitted_at, order.released_at) == (
            "released",
            make.NOW,
            make.NOW,
        )
        assert on.committed == Decimal("34.50")
        assert Message.objects.filter(name="orders.order_released").count() == 1
        entry = AuditEntry.objects.get(action="orders.submit")
        assert (entry.actor, entry.after["state"]) == (clerk, "released")
        assert entry.policy_version

    def test_classes_the_order_and_keeps_what_was_asked(self) -> None:
        gold = make.account(make.customer(tier="A"), penalty_rate=Decimal("0.02"))
        plain = make.account(make.customer(tier="D"))
        part = make.priced()

        first = make.submitted(gold, make.line(part))
        second = make.submitted(plain, make.line(part))

        assert (first.class_code, first.priority) == ("A-penalty", 10)
        assert (second.class_code, second.priority) == ("D", 70)
        kept = DecisionRecord.objects.filter(subject_id=first.pk, subject_kind="orders.order")
        assert set(kept.values_list("version__policy__code", flat=True)) == {
            "orders.classify",
            # Compliance asks by line, and only about lines that some list concerns.
            *(f"orders.release.{kind}" for kind in KINDS - {"compliance"}),
        }

    def test_lets_an_order_fill_its_limit_exactly(self) -> None:
        on = make.account(limit="100", receivable=40, unbilled=30, committed=10, unapplied=20)

        order = make.submitted(on, make.line(make.priced("40")))

        assert order.state == "released"

    def test_holds_an_order_a_cent_over_its_limit(self) -> None:
        on = make.account(limit="100", receivable=40, unbilled=30, committed=10, unapplied=20)

        order = make.submitted(on, make.line(make.priced("40.01")))

        on.refresh_from_db()
        hold = Hold.objects.get(order=order)
        assert (order.state, hold.kind, hold.owner_role, hold.state) == (
            "held",
            "credit",
            "credit",
            "active",
        )
        assert hold.facts["limit"] == "100.0000"
        assert hold.policy_version
        assert on.committed == 10
        told = Message.objects.get(name="orders.order_held")
        assert "credit" in str(told.payload)
        assert not Message.objects.filter(name="orders.order_released").exists()

    def test_counts_freight_against_the_limit(self) -> None:
        on = make.account(limit="100")

        order = make.submitted(on, make.line(make.priced("99")), freight=Decimal("1.01"))

        assert order.state == "held"

    def test_holds_for_every_check_that_fails(self) -> None:
        blocked = make.customer(is_blocked=True)
        order = make.submitted(make.account(blocked, limit="1"), make.line(make.priced("10")))

        kinds = set(Hold.objects.filter(order=order).values_list("kind", "owner_role"))
        assert kinds == {("completeness", "order_desk"), ("credit", "credit")}

    def test_holds_where_the_account_is_stopped_or_long_overdue(self) -> None:
        part = make.priced()
        stopped = make.account(on_hold=True)
        late = make.account(overdue_amount=5, overdue_since=make.TODAY - timedelta(days=31))
        fresh = make.account(overdue_amount=5, overdue_since=make.TODAY - timedelta(days=30))

        states = [make.submitted(on, make.line(part)).state for on in (stopped, late, fresh)]

        assert states == ["held", "held", "released"]

    def test_holds_for_want_of_an_address_or_for_a_blocked_product(self) -> None:
        part = make.priced()
        nowhere = make.account(make.customer(city="", country=""))
        order = make.created(make.account(), make.line(part))
        part.is_blocked = True
        part.save()

        found = submit_order(order_id=order.pk, actor=None, now=make.NOW)

        assert found.holds == ["completeness"]
        good = make.submitted(nowhere, make.line(make.priced()))
        assert Hold.objects.get(order=good).kind == "completeness"

    def test_answers_an_order_submitted_before_as_it_stands(self) -> None:
        on = make.account(limit="100")
        order = make.submitted(on, make.line(make.priced("60")))

        again = submit_order(order_id=order.pk, actor=None, now=make.NOW)

        on.refresh_from_db()
        assert (again.state, on.committed) == ("released", 60)
        assert AuditEntry.objects.filter(action="orders.submit").count() == 1

    def test_refuses_a_cancelled_order_and_one_that_is_not_there(self) -> None:
        order = make.created(make.account(), make.line(make.priced()))
        cancel_order(order_id=order.pk, actor=None, reason="changed mind", now=make.NOW)

        with pytest.raises(OrderCancelled):
            submit_order(order_id=order.pk, actor=None, now=make.NOW)
        with pytest.raises(Order.DoesNotExist):
            submit_order(order_id=0, actor=None, now=make.NOW)


class TestSubmitOrders:
    def test_counts_orders_of_one_account_one_after_the_other(self) -> None:
        on, part = make.account(limit="100"), make.priced("40")
        ids = [make.created(on, make.line(part)).pk for _ in range(4)]

        found = submit_orders(order_ids=ids, actor=None, now=make.NOW)

        on.refresh_from_db()
        assert [each.state for each in found] == ["released", "released", "held", "held"]
        assert on.committed == 80

    def test_lets_a_smaller_order_pass_where_a_larger_did_not(self) -> None:
        on, part = make.account(limit="100"), make.priced("1")
        ids = [make.created(on, make.line(part, n)).pk for n in (60, 50, 40, 1)]

        found = submit_orders(order_ids=ids, actor=None, now=make.NOW)

        assert [each.state for each in found] == ["released", "held", "released", "held"]

    def test_lets_no_stopped_order_use_up_the_limit(self) -> None:
        on, part = make.account(limit="100"), make.priced("100")
        bad = make.created(on, make.line(part), ship_to={"note": "nowhere"})
        good = make.created(on, make.line(part))

        found = submit_orders(order_ids=[bad.pk, good.pk], actor=None, now=make.NOW)

        assert [each.holds for each in found] == [["completeness"], []]

    def test_decides_the_same_of_many_as_of_each_alone(self) -> None:
        part = make.priced("1")
        sizes = [30, 80, 20, 60, 50, 10, 40, 100, 5, 15]
        alone_on, together_on = make.account(limit="150"), make.account(limit="150")

        alone = [make.submitted(alone_on, make.line(part, n)).state for n in sizes]
        ids = [make.created(together_on, make.line(part, n)).pk for n in sizes]
        together = submit_orders(order_ids=ids, actor=None, now=make.NOW)

        alone_on.refresh_from_db()
        together_on.refresh_from_db()
        assert [each.state for each in together] == alone
        assert alone_on.committed == together_on.committed

    def test_costs_no_more_statements_for_many(self, django_assert_max_num_queries) -> None:
        part = make.priced("1")
        ids = [make.created(make.account(), make.line(part)).pk for _ in range(30)]

        with django_assert_max_num_queries(24):
            submit_orders(order_ids=ids, actor=None, now=make.NOW)
