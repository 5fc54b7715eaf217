"""orders/services/_exchanging.py and _proposing.py, with what allocation makes of pairs."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from erp.governance.models import AuditEntry
from inventory.models import AllocationDecision, Product, Reservation, ShipmentLine, Stock
from inventory.selectors import candidates_of
from inventory.services.substituting import SubstituteDraft, save_substitute
from orders.models import CreditAccount, Order, OrderLine, ServingTerms, Substitution
from orders.services import allocate_orders
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def paired(product: Product, other: Product, **values: Any) -> int:
    draft = SubstituteDraft(
        product=product.code, other=other.code, **{"consent": "always"} | values
    )
    return save_substitute(draft=draft, actor=None, now=make.NOW)


def by_position(order: Order) -> list[OrderLine]:
    return list(OrderLine.objects.filter(order=order).order_by("position"))


class TestExchange:
    def test_makes_a_line_of_what_goes_out_unasked(self) -> None:
        part, other = make.priced("10"), make.priced("12")
        held = make.stocked(part, 3)
        free = make.stocked(other, 9)
        paired(part, other, reason="Same fit")
        on = make.account()

        order = make.allocated(on, make.line(part, 10))

        original, instead = by_position(order)
        assert (original.quantity, original.cancelled, original.reserved) == (10, 7, 3)
        assert (original.unit_price, original.amount) == (10, 100)
        assert (instead.product_id, instead.quantity, instead.reserved) == (other.pk, 7, 7)
        assert (instead.instead_of_id, instead.replaces) == (original.pk, 7)
        assert (instead.unit_price, instead.amount) == (10, 70)
        assert original.promised_date == instead.promised_date is not None
        assert order.state == "allocated"
        held.refresh_from_db()
        free.refresh_from_db()
        assert (held.reserved, free.reserved) == (3, 7)
        lines = dict(ShipmentLine.objects.values_list("demand_id", "quantity"))
        assert lines == {original.pk: 3, instead.pk: 7}

    def test_commits_of_the_credit_what_is_still_to_come(self) -> None:
        part, other = make.priced("10"), make.priced("7")
        make.stocked(other, 9)
        paired(part, other, price_rule="lower")
        on = make.account()

        order = make.allocated(on, make.line(part, 5))

        on.refresh_from_db()
        assert by_position(order)[1].unit_price == 7
        assert on.committed == 35
        order.refresh_from_db()
        assert order.subtotal == sum(line.amount for line in by_position(order)) == 85

    def test_in_whole_exchanges_of_the_ratio(self) -> None:
        part, other = make.priced("10"), make.priced("1")
        make.stocked(other, 10)
        paired(part, other, units=3, per=2)

        order = make.allocated(make.account(), make.line(part, 10))

        original, instead = by_position(order)
        assert (original.cancelled, original.waiting) == (9, 1)
        assert (instead.quantity, instead.replaces, instead.reserved) == (6, 9, 6)
        assert (instead.unit_price, instead.amount) == (15, 90)
        assert order.state == "partly_allocated"

    def test_never_costs_more_than_what_was_ordered(self) -> None:
        part, other = make.priced("10"), make.priced("99")
        make.stocked(other, 7)
        paired(part, other, units=1, per=3)

        order = make.allocated(make.account(), make.line(part, 2))

        instead = by_position(order)[1]
        assert instead.unit_price == Decimal("3.3333")
        assert instead.amount == Decimal("19.9998")

    def test_says_on_the_receipt_what_went_out(self) -> None:
        part, other = make.priced(), make.priced()
        make.stocked(part, 1)
        make.stocked(other, 9)
        paired(part, other)

        order = make.allocated(make.account(), make.line(part, 4))

        decision = AllocationDecision.objects.get(demand_id=by_position(order)[0].pk)
        own, another = candidates_of(decision.candidates)
        assert (decision.asked, decision.given, decision.outcome) == (4, 4, "full")
        assert (own.taken, own.instead) == (1, "")
        assert (another.taken, another.instead, another.mode) == (3, other.code, "substitute")
        said = AuditEntry.objects.get(action="orders.substitute").after
        assert (said["line"], said["new_line"]) == (1, 2)

    def test_done_again_nothing_changes(self) -> None:
        part, other = make.priced(), make.priced()
        make.stocked(other, 4)
        paired(part, other)
        order = make.allocated(make.account(), make.line(part, 9))
        before = list(OrderLine.objects.order_by("pk").values())

        allocate_orders(order_ids=[order.pk], cause="again", now=make.NOW)

        assert list(OrderLine.objects.order_by("pk").values()) == before
        assert Reservation.objects.count() == 1

    @pytest.mark.parametrize(
        ("values", "head"),
        [
            ({"consent": "ask"}, {}),
            ({"consent": "never"}, {}),
            ({"price_rule": "substitute"}, {}),
            ({"valid_until": make.TODAY - timedelta(days=1)}, {}),
            ({"valid_from": make.TODAY + timedelta(days=1)}, {}),
            ({}, {"no_substitutes": True}),
        ],
    )
    def test_but_not_where_somebody_has_to_be_asked_or_said_no(self, values, head) -> None:
        part, other = make.priced(), make.priced()
        free = make.stocked(other, 9)
        paired(part, other, **values)

        order = make.allocated(make.account(), make.line(part, 4), **head)

        free.refresh_from_db()
        assert order.state == "backordered"
        assert len(by_position(order)) == 1
        assert free.reserved == 0

    def test_is_directed(self) -> None:
        part, other = make.priced(), make.priced()
        make.stocked(part, 9)
        paired(part, other)

        assert make.allocated(make.account(), make.line(other, 4)).state == "backordered"

    def test_what_needs_a_licence_never_goes_out_unasked(self) -> None:
        part, other = make.priced(), make.priced(hazmat_class="3")
        make.stocked(other, 9)
        paired(part, other)

        order = make.allocated(make.account(), make.line(part, 4))

        assert order.state == "backordered"
        assert Substitution.objects.get().state == "proposed"

    def test_the_customer_may_want_to_be_asked_every_time_or_never(self) -> None:
        part, other = make.priced(), make.priced()
        make.stocked(other, 9)
        paired(part, other, consent="ask")
        yes, ask = make.account(), make.account()
        ServingTerms.objects.create(customer=yes.customer, substitutes="always")
        ServingTerms.objects.create(customer=ask.customer, substitutes="ask")

        assert make.allocated(ask, make.line(part, 2)).state == "backordered"
        assert make.allocated(yes, make.line(part, 2)).state == "allocated"

    def test_a_line_that_says_a_substitute_will_do(self) -> None:
        part, other = make.priced(), make.priced()
        make.stocked(other, 9)
        paired(part, other, consent="ask")

        line = make.line(part, 2, disposition="substitute")

        assert make.allocated(make.account(), line).state == "allocated"

    def test_who_ranks_higher_has_it_first_whatever_it_is_for(self) -> None:
        part, other = make.priced(), make.priced()
        make.stocked(other, 5)
        paired(part, other)
        plain = make.submitted(make.account(), make.line(other, 5))
        gold = make.submitted(make.account(make.customer(tier="A")), make.line(part, 3))

        allocate_orders(order_ids=None, cause="test", now=make.NOW)

        assert [line.reserved for line in by_position(gold)] == [0, 3]
        assert [line.reserved for line in by_position(plain)] == [2]

    def test_the_one_customers_accept_goes_first(self) -> None:
        part, first, second = make.priced(), make.priced(), make.priced()
        for other in (first, second):
            make.stocked(other, 9)
            paired(part, other)
        learnt(part, second, accepted=3)
        learnt(part, first, declined=2)

        order = make.allocated(make.account(), make.line(part, 2))

        assert by_position(order)[1].product_id == second.pk


def learnt(part: Product, other: Product, accepted: int = 0, declined: int = 0) -> None:
    """Have customers asked about a pair so often."""
    for number in range(accepted + declined):
        order = make.created(make.account(), make.line(part))
        Substitution.objects.create(
            entity=order.entity,
            line=by_position(order)[0],
            product=part,
            other=other,
            quantity=1,
            other_quantity=1,
            unit_price=1,
            price_rule="original",
            state="accepted" if number < accepted else "declined",
            proposed_at=make.NOW,
            answered_at=make.NOW,
        )


class TestPropose:
    def test_asks_about_what_is_free_once_everybody_had_their_turn(self) -> None:
        part, other = make.priced("10"), make.priced("8")
        make.stocked(other, 4)
        paired(part, other, consent="ask", price_rule="lower")
        order = make.submitted(make.account(), make.line(part, 6))
        make.submitted(make.account(), make.line(other, 1))

        allocate_orders(order_ids=None, cause="test", now=make.NOW)

        (asked,) = Substitution.objects.all()
        assert (asked.line.order_id, asked.state) == (order.pk, "proposed")
        assert (asked.quantity, asked.other_quantity, asked.unit_price) == (3, 3, 8)
        assert Stock.objects.get(product=other).reserved == 1

    def test_is_asked_once(self) -> None:
        part, other = make.priced(), make.priced()
        make.stocked(other, 4)
        paired(part, other, consent="ask")
        order = make.allocated(make.account(), make.line(part, 6))

        allocate_orders(order_ids=[order.pk], cause="again", now=make.NOW)

        assert Substitution.objects.count() == 1

    def test_and_not_again_after_a_no(self) -> None:
        part, other = make.priced(), make.priced()
        make.stocked(other, 4)
        paired(part, other, consent="ask")
        order = make.allocated(make.account(), make.line(part, 6))
        asked = Substitution.objects.lock(Substitution.objects.get().pk)
        asked.decline(at=make.NOW, by=None)
        asked.save()

        allocate_orders(order_ids=[order.pk], cause="again", now=make.NOW)

        assert Substitution.objects.count() == 1


def test_accounts_stay_what_their_orders_commit() -> None:
    """What stands in the books before and after is the same to the cent."""
    part, other = make.priced("9.99"), make.priced("9.99")
    make.stocked(part, "1.5")
    make.stocked(other, 100)
    paired(part, other)
    on = make.account()

    make.allocated(on, make.line(part, "7.333"))

    assert CreditAccount.objects.get(pk=on.pk).committed == Decimal("73.2567")
