"""orders/services/substituting/_answering.py"""

from decimal import Decimal
from typing import Any

import pytest

from erp.governance.models import AuditEntry
from inventory.models import Stock
from orders.models import CreditAccount, Order, OrderLine, Substitution
from orders.services import LineCancel, NothingWaits, allocate_orders, cancel_lines
from orders.services.substituting import (
    AnsweredOtherwise,
    NotThereAnyMore,
    accept_substitution,
    decline_substitution,
    withdraw_substitutions,
)
from tests.orders import factories as make
from tests.orders.services.test_exchanging import by_position, paired

pytestmark = pytest.mark.django_db


def asked(held: int = 9, quantity: int = 4, **values: Any) -> Substitution:
    """Have an order wait for a product in place of which another is free."""
    part, other = make.priced("10"), make.priced("8")
    make.stocked(other, held)
    paired(part, other, **{"consent": "ask"} | values)
    make.allocated(make.account(), make.line(part, quantity))
    return Substitution.objects.get()


def say(verb: Any, found: Substitution, answer: str = "") -> Substitution:
    key = {"substitution_id": found.pk, "answer": answer}
    return verb(**key, actor=None, now=make.NOW)  # type: ignore[no-any-return]


class TestAccept:
    def test_sends_the_other_in_place_of_a_part(self) -> None:
        found = asked(held=3, price_rule="substitute")

        done = say(accept_substitution, found, "Mr Fox, by telephone")

        original, instead = by_position(found.line.order)
        assert (original.quantity, original.cancelled, original.amount) == (4, 3, 40)
        assert (instead.quantity, instead.reserved, instead.unit_price) == (3, 3, 8)
        assert (instead.instead_of_id, instead.replaces) == (original.pk, 3)
        assert (done.state, done.new_line_id) == ("accepted", instead.pk)
        assert Stock.objects.get(product=found.other).reserved == 3
        entry = AuditEntry.objects.get(action="orders.accepted_substitution")
        assert entry.reason == "Mr Fox, by telephone"
        on = CreditAccount.objects.get(pk=found.line.order.account_id)
        assert on.committed == Decimal(34)
        assert Order.objects.get(pk=found.line.order_id).state == "partly_allocated"

    def test_a_whole_line(self) -> None:
        found = asked()

        say(accept_substitution, found)

        assert [line.quantity - line.cancelled for line in by_position(found.line.order)] == [0, 4]
        assert Order.objects.get(pk=found.line.order_id).state == "allocated"

    def test_again_changes_nothing(self) -> None:
        found = asked()
        say(accept_substitution, found)
        before = list(OrderLine.objects.order_by("pk").values())

        say(accept_substitution, found)

        assert list(OrderLine.objects.order_by("pk").values()) == before

    def test_refuses_what_is_not_free_any_more(self) -> None:
        found = asked(held=4)
        make.allocated(make.account(), make.line(found.other, 1))
        before = list(OrderLine.objects.order_by("pk").values())

        with pytest.raises(NotThereAnyMore):
            say(accept_substitution, found)

        assert list(OrderLine.objects.order_by("pk").values()) == before
        assert Substitution.objects.get().state == "proposed"

    def test_refuses_where_the_line_waits_for_less(self) -> None:
        found = asked()
        make.stocked(found.product, 1)
        allocate_orders(order_ids=[found.line.order_id], cause="test", now=make.NOW)

        with pytest.raises(NothingWaits):
            say(accept_substitution, found)

    def test_refuses_what_was_declined(self) -> None:
        found = asked()
        say(decline_substitution, found)

        with pytest.raises(AnsweredOtherwise):
            say(accept_substitution, found)


class TestDecline:
    def test_leaves_the_line_waiting(self) -> None:
        found = asked()

        say(decline_substitution, found, "Not the right colour")

        done = Substitution.objects.get()
        assert (done.state, done.answer) == ("declined", "Not the right colour")
        assert [line.waiting for line in by_position(found.line.order)] == [4]
        assert Stock.objects.get(product=found.other).reserved == 0

    def test_refuses_what_was_accepted(self) -> None:
        found = asked()
        say(accept_substitution, found)

        with pytest.raises(AnsweredOtherwise):
            say(decline_substitution, found)


class TestWithdraw:
    def test_what_the_line_waits_for_no_more(self) -> None:
        found = asked()
        cancel_lines(
            order_id=found.line.order_id,
            lines=[LineCancel(found.line_id, Decimal(1))],
            actor=None,
            reason="Less",
            now=make.NOW,
        )

        assert withdraw_substitutions(line_ids=[found.line_id], now=make.NOW) == [found.pk]
        assert Substitution.objects.get().state == "withdrawn"

    def test_not_what_still_waits(self) -> None:
        found = asked()

        assert withdraw_substitutions(line_ids=[found.line_id], now=make.NOW) == []
