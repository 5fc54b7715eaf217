"""orders/services/_reevaluating.py, with the bulk and timed sides of _holding.py."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from erp.accounts.models import Role
from erp.governance.models import AuditEntry
from erp.outbox.models import Message
from orders.models import Hold, Order
from orders.services import (
    BadCreditTerms,
    CreditTerms,
    LiftEndsInThePast,
    NotHoldOwner,
    OwnOrder,
    ReasonMissing,
    TooManyHolds,
    agree_credit,
    end_lifts,
    force_holds,
    lift_hold,
    lift_holds_bulk,
    place_hold,
    reevaluate_credit_holds,
    reevaluate_holds,
)
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def over_limit(**values: Any) -> Order:
    return make.submitted(make.account(limit="10"), make.line(make.priced("11")), **values)


def two_reasons() -> Order:
    on = make.account(make.customer(is_blocked=True), limit="1")
    return make.submitted(on, make.line(make.priced("10")))


class TestReevaluateHolds:
    def test_lifts_each_cleared_reason_and_releases_after_the_last(self) -> None:
        order = two_reasons()
        order.customer.is_blocked = False
        order.customer.save()

        (first,) = reevaluate_holds(
            order_ids=[order.pk], cause="unblocked", actor=None, now=make.NOW
        )
        order.account.credit_limit = 10
        order.account.save()
        (second,) = reevaluate_holds(order_ids=[order.pk], cause="limit", actor=None, now=make.NOW)

        assert (first.state, first.cleared, first.holds) == ("held", ["completeness"], ["credit"])
        assert (second.state, second.cleared, second.holds) == ("released", ["credit"], [])
        reasons = Hold.objects.order_by("kind").values_list("state", "lift_reason", "lifted_by")
        assert list(reasons) == [("lifted", "unblocked", None), ("lifted", "limit", None)]

    def test_names_the_rule_in_the_story(self) -> None:
        order = over_limit()
        order.account.credit_limit = 11
        order.account.save()

        reevaluate_holds(
            order_ids=[order.pk], cause="The limit was raised", actor=None, now=make.NOW
        )

        entry = AuditEntry.objects.get(action="orders.lift_credit_hold")
        assert entry.reason == "The limit was raised"
        assert entry.policy_version.startswith("orders.release.credit v")
        assert entry.after["rule"].startswith(entry.policy_version)
        assert "over its credit limit" in entry.after["cleared"]
        assert entry.thread == f"orders.order:{order.pk}"

    def test_leaves_forced_and_manual_holds_alone(self) -> None:
        order = over_limit()
        force_holds(order_ids=[order.pk], reason="Audit", actor=None, now=make.NOW)
        order.account.credit_limit = 100
        order.account.save()

        (found,) = reevaluate_holds(order_ids=[order.pk], cause="x", actor=None, now=make.NOW)
        gone = reevaluate_credit_holds(account_ids=[order.account_id], cause="x", now=make.NOW)

        assert (found.state, found.cleared, found.holds) == ("held", [], ["credit", "manual"])
        assert gone == []
        assert set(Hold.objects.values_list("state", flat=True)) == {"active"}

    def test_holds_anew_on_credit_what_nothing_else_holds(self) -> None:
        on = make.account(make.customer(is_blocked=True), limit="10")
        order = make.submitted(on, make.line(make.priced("10")))
        assert list(Hold.objects.values_list("kind", flat=True)) == ["completeness"]
        on.customer.is_blocked = False
        on.customer.save()
        on.receivable = Decimal("0.01")
        on.save()

        (found,) = reevaluate_holds(order_ids=[order.pk], cause="x", actor=None, now=make.NOW)

        assert (found.state, found.cleared, found.holds) == ("held", ["completeness"], ["credit"])

    def test_costs_no_more_statements_for_many(self, django_assert_max_num_queries) -> None:
        orders = [over_limit() for _ in range(20)]
        for order in orders:
            order.account.credit_limit = 11
            order.account.save()

        with django_assert_max_num_queries(40):
            found = reevaluate_holds(
                order_ids=[order.pk for order in orders], cause="x", actor=None, now=make.NOW
            )

        assert {each.state for each in found} == {"released"}


class TestWhatReleasesByItself:
    @pytest.mark.parametrize(
        "terms",
        [
            {"insured_amount": Decimal(1)},
            {
                "temporary_limit": Decimal(11),
                "temporary_from": make.TODAY,
                "temporary_until": make.TODAY,
            },
        ],
    )
    def test_what_credit_agreed_to(self, terms) -> None:
        order = over_limit()

        agree_credit(
            account_id=order.account_id,
            terms=CreditTerms(**terms),
            actor=make.person("mira", Role.CREDIT),
            reason="Agreed by phone",
            now=make.NOW,
        )

        assert Order.objects.get(pk=order.pk).state == "released"
        reason = AuditEntry.objects.get(action="orders.lift_credit_hold").reason
        assert next(iter(terms)).replace("_", " ") in reason

    def test_longer_terms_that_credit_agrees_to(self) -> None:
        on = make.account(terms_days=60)
        order = make.submitted(on, make.line(make.priced()))
        assert order.state == "held"

        agree_credit(
            account_id=on.pk,
            terms=CreditTerms(agreed_terms_days=60),
            actor=None,
            reason="ok",
            now=make.NOW,
        )

        assert Order.objects.get(pk=order.pk).state == "released"

    @pytest.mark.parametrize(
        "terms",
        [
            {"insured_amount": Decimal(-1)},
            {"temporary_limit": Decimal(1)},
            {
                "temporary_limit": Decimal(1),
                "temporary_from": make.TODAY,
                "temporary_until": make.TODAY - timedelta(days=1),
            },
        ],
    )
    def test_bad_terms_are_refused(self, terms) -> None:
        on = make.account()

        with pytest.raises(BadCreditTerms):
            agree_credit(
                account_id=on.pk, terms=CreditTerms(**terms), actor=None, reason="x", now=make.NOW
            )

        assert not AuditEntry.objects.filter(action="orders.agree_credit").exists()


class TestALiftForATime:
    def lifted(self, days: int) -> Order:
        part = make.priced("11")
        make.stocked(part, 5)
        order = make.submitted(make.account(limit="10"), make.line(part))
        lift_hold(
            hold_id=Hold.objects.get(order=order).pk,
            actor=make.person("mira", Role.CREDIT),
            reason="until the bank opens",
            now=make.NOW,
            valid_until=make.TODAY + timedelta(days=days),
        )
        return Order.objects.get(pk=order.pk)

    def test_counts_up_to_and_with_its_last_day(self) -> None:
        order = self.lifted(2)

        on_the_day = end_lifts(now=make.NOW + timedelta(days=2))
        after = end_lifts(now=make.NOW + timedelta(days=3))
        again = end_lifts(now=make.NOW + timedelta(days=3))

        assert (order.state, on_the_day, after, again) == ("released", [], [order.pk], [])
        assert Order.objects.get().state == "held"
        assert list(Hold.objects.order_by("pk").values_list("kind", "state")) == [
            ("credit", "lifted"),
            ("credit", "active"),
        ]
        order.account.refresh_from_db()
        assert order.account.committed == 0

    def test_lets_go_what_passes_by_then(self) -> None:
        order = self.lifted(0)
        order.account.credit_limit = 11
        order.account.save()

        assert end_lifts(now=make.NOW + timedelta(days=1)) == []
        assert Order.objects.get().state == "released"

    def test_refuses_one_that_is_over_before_it_begins(self) -> None:
        with pytest.raises(LiftEndsInThePast):
            self.lifted(-1)

        assert Hold.objects.get().state == "active"


class TestLiftHoldsBulk:
    def test_answers_for_each_hold(self) -> None:
        mira = make.person("mira", Role.CREDIT)
        mine, theirs, both = over_limit(actor=mira), over_limit(), two_reasons()
        ids = [mine.pk, theirs.pk, both.pk]

        found = lift_holds_bulk(order_ids=ids, actor=mira, reason="Checked", now=make.NOW)

        said = {(each.number, each.state, type(each.refusal)) for each in found}
        assert said == {
            (mine.number, "held", OwnOrder),
            (theirs.number, "released", type(None)),
            (both.number, "held", type(None)),
            (both.number, "held", NotHoldOwner),
        }
        assert Hold.objects.filter(state="active").count() == 2
        assert Message.objects.filter(name="orders.hold_lifted").count() == 2

    def test_lifts_only_the_kinds_asked_for(self) -> None:
        order, karl = two_reasons(), make.person("karl", Role.ORDER_DESK)

        found = lift_holds_bulk(
            order_ids=[order.pk], actor=karl, reason="x", now=make.NOW, kinds=["completeness"]
        )

        assert [each.refusal for each in found] == [None]
        assert Hold.objects.get(state="active").kind == "credit"

    def test_refuses_without_a_reason_or_too_many(self, monkeypatch) -> None:
        order, mira = over_limit(), make.person("mira", Role.CREDIT)

        with pytest.raises(ReasonMissing):
            lift_holds_bulk(order_ids=[order.pk], actor=mira, reason=" ", now=make.NOW)
        monkeypatch.setattr("orders.services._holding.HOLDS_MAX", 0)
        with pytest.raises(TooManyHolds):
            lift_holds_bulk(order_ids=[order.pk], actor=mira, reason="x", now=make.NOW)

        assert Hold.objects.get().state == "active"


class TestForcedHolds:
    def test_one_order_is_forced_by_hand(self, clerk) -> None:
        order = over_limit()

        place_hold(order_id=order.pk, reason="Audit", actor=clerk, now=make.NOW, is_forced=True)

        assert set(Hold.objects.values_list("kind", "is_forced")) == {
            ("credit", True),
            ("manual", True),
        }

    def test_many_are_forced_but_not_what_is_being_picked(self) -> None:
        part = make.priced()
        make.stocked(part, 9)
        picked, waiting = (
            make.picked(make.account(), make.line(part)),
            make.allocated(make.account(), make.line(part)),
        )

        stopped = force_holds(
            order_ids=[picked.pk, waiting.pk], reason="Recall", actor=None, now=make.NOW
        )

        assert stopped == [waiting.pk]
        assert Order.objects.get(pk=picked.pk).state == "fulfilling"
        assert Hold.objects.get().order_id == waiting.pk

    def test_a_person_lifts_them(self) -> None:
        order = over_limit()
        force_holds(order_ids=[order.pk], reason="Audit", actor=None, now=make.NOW)
        mira = make.person("mira", Role.CREDIT)
        boss = make.person("boss", Role.OPERATIONS_LEAD)

        lift_holds_bulk(order_ids=[order.pk], actor=mira, reason="x", now=make.NOW)
        lift_holds_bulk(order_ids=[order.pk], actor=boss, reason="x", now=make.NOW)

        assert Order.objects.get(pk=order.pk).state == "released"
