"""Tests finance/services/_paying.py, _settling.py and _applying.py."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from erp.outbox.models import Message
from finance.models import Invoice, JournalEntry, Payment, PaymentAllocation
from finance.services import (
    BadPayment,
    NoAccount,
    NothingToApply,
    OverAllocated,
    PaymentDraft,
    PeriodClosed,
    ReferenceTaken,
    UnknownInvoice,
    UnknownPayment,
    allocate_payment,
    post_payment,
    post_payments,
)
from orders.models import CreditAccount, Hold, Order
from tests.finance import factories
from tests.finance.factories import (
    NOW,
    TODAY,
    World,
    balance,
    close_month,
    drift,
    entry,
    invoiced,
    product,
    released,
)


def pay(where: World, amount: str, **given: Any) -> Any:
    values: dict[str, Any] = {"reference": "BANK-1", "received_date": TODAY} | given
    return post_payment(
        entity_id=where.entity.pk,
        customer_id=where.customer.pk,
        amount=Decimal(amount),
        actor=None,
        now=NOW,
        **values,
    )


def draft(where: World, amount: str, reference: str, **given: Any) -> PaymentDraft:
    return PaymentDraft(
        entity_id=where.entity.pk,
        customer_id=where.customer.pk,
        amount=Decimal(amount),
        reference=reference,
        received_date=TODAY,
        **given,
    )


def states() -> list[tuple[str, Decimal]]:
    return list(Invoice.objects.order_by("id").values_list("state", "paid"))


def two_invoices(where: World) -> list[str]:
    """Invoice 10.00, a day before 20.00; the first is due first."""
    goods = product(where)
    _, first = invoiced(where, (goods, "1", "10"))
    _, second = invoiced(where, (goods, "2", "10"), now=NOW + timedelta(days=1))
    return [*first, *second]


class TestPostPayment:
    def test_pays_the_oldest_first_and_closes_what_is_paid(self, world: World) -> None:
        two_invoices(world)

        posted = pay(world, "15")

        assert states() == [("paid", Decimal(10)), ("partly_paid", Decimal(5))]
        assert posted.unapplied == 0
        assert list(Order.objects.order_by("id").values_list("state", flat=True)) == [
            "closed",
            "invoiced",
        ]
        assert entry("finance.payment", posted.payment_id) == {
            "bank": Decimal(15),
            "receivable": Decimal(-15),
        }
        assert CreditAccount.objects.get(pk=world.account_id).receivable == Decimal(15)
        assert drift() == {}

    def test_pays_what_is_named(self, world: World) -> None:
        _, second = two_invoices(world)

        posted = pay(world, "15", allocations=[(second, Decimal(12))])

        assert states() == [("posted", Decimal(0)), ("partly_paid", Decimal(12))]
        assert posted.unapplied == Decimal(3)
        assert drift() == {}

    def test_keeps_what_is_too_much(self, world: World) -> None:
        two_invoices(world)

        posted = pay(world, "50.25")

        assert posted.unapplied == Decimal("20.25")
        assert balance(world, "unapplied") == Decimal("-20.25")
        account = CreditAccount.objects.get(pk=world.account_id)
        assert (account.receivable, account.unapplied) == (Decimal(0), Decimal("20.25"))
        assert drift() == {}

    def test_is_the_same_payment_under_the_same_reference(self, world: World) -> None:
        two_invoices(world)
        first = pay(world, "15")

        again = pay(world, "15")

        assert (again.number, again.created, first.created) == (first.number, False, True)
        assert Payment.objects.count() == 1
        assert states() == [("paid", Decimal(10)), ("partly_paid", Decimal(5))]

    def test_refuses_another_amount_under_the_same_reference(self, world: World) -> None:
        pay(world, "15")

        with pytest.raises(ReferenceTaken, match=r"BANK-1 was posted with 15\.00"):
            pay(world, "16")

        assert Payment.objects.count() == 1

    @pytest.mark.parametrize(
        ("given", "refusal"),
        [
            ({"amount": "0"}, BadPayment),
            ({"amount": "-5"}, BadPayment),
            ({"amount": "NaN"}, BadPayment),
            ({"amount": "Infinity"}, BadPayment),
            ({"amount": "0.001"}, BadPayment),
            ({"amount": "1e15"}, BadPayment),
            ({"reference": "  "}, BadPayment),
            ({"reference": "x" * 101}, BadPayment),
            ({"reference": "a\0b"}, BadPayment),
            ({"received_date": TODAY + timedelta(days=2)}, BadPayment),
            ({"allocations": [("INV-NO-1", Decimal(1))]}, UnknownInvoice),
            ({"allocations": [("INV-US01-000001", Decimal("10.01"))]}, OverAllocated),
            ({"allocations": [("INV-US01-000002", Decimal("15.01"))]}, OverAllocated),
            ({"allocations": [("INV-US01-000002", Decimal(-1))]}, BadPayment),
            ({"allocations": [("INV-US01-000002", Decimal("NaN"))]}, BadPayment),
        ],
    )
    def test_refuses_what_makes_no_sense(
        self, world: World, given: dict[str, Any], refusal: type[Exception]
    ) -> None:
        two_invoices(world)

        with pytest.raises(refusal), transaction.atomic():
            pay(world, **{"amount": "15"} | given)

        assert not Payment.objects.exists()
        assert states() == [("posted", Decimal(0)), ("posted", Decimal(0))]

    def test_refuses_another_customers_invoice(self, world: World) -> None:
        two_invoices(world)
        other = factories.world()

        with pytest.raises(UnknownInvoice):
            pay(other, "10", allocations=[("INV-US01-000001", Decimal(10))])

        assert not Payment.objects.exists()

    def test_refuses_a_customer_without_an_account(self, world: World) -> None:
        stranger = World(
            world.entity, world.node, factories.customer_named("STRANGER"), world.account_id
        )

        with pytest.raises(NoAccount):
            pay(stranger, "10")

    def test_refuses_a_day_in_a_closed_month(self, world: World) -> None:
        close_month("2026-10-01")

        with pytest.raises(PeriodClosed), transaction.atomic():
            pay(world, "10", received_date=date(2026, 10, 5))

        assert not Payment.objects.exists()

    def test_lets_go_an_order_that_was_held_on_credit(self, db: None) -> None:
        tight = factories.world(limit="25")
        goods = product(tight)
        invoiced(tight, (goods, "2", "10"))
        held = released(tight, (goods, "1", "10"))
        assert held.state == "held"

        pay(tight, "20")

        assert Order.objects.get(pk=held.pk).state == "released"
        assert Hold.objects.get(order=held).state == "lifted"

    def test_tells_what_was_paid(self, world: World) -> None:
        two_invoices(world)

        pay(world, "15")

        told = Message.objects.filter(name__startswith="finance.").order_by("id")
        names = [name for name in told.values_list("name", flat=True) if "posted" not in name]
        assert names == ["finance.invoice_paid"]
        assert told.filter(name="finance.payment_posted").count() == 1


class TestPostPayments:
    def test_posts_many_for_many(self, world: World) -> None:
        numbers = two_invoices(world)
        other = factories.world()
        _, theirs = invoiced(other, (product(other), "3", "10"))

        posted = post_payments(
            payments=[
                draft(world, "5", "A"),
                draft(other, "30", "B"),
                draft(world, "20", "C", allocations=[(numbers[1], Decimal(20))]),
                draft(world, "7", "D"),
            ],
            actor=None,
            now=NOW,
        )

        assert [each.unapplied for each in posted] == [0, 0, 0, Decimal(2)]
        assert {state for state, _ in states()} == {"paid"}
        assert len(theirs) == 1
        assert drift() == {}

    def test_knows_the_same_reference_within_one_call(self, world: World) -> None:
        two_invoices(world)

        posted = post_payments(
            payments=[draft(world, "5", "A"), draft(world, "5", "A ")], actor=None, now=NOW
        )

        assert posted[0] == posted[1]
        assert Payment.objects.count() == 1

    def test_is_all_or_nothing(self, world: World) -> None:
        two_invoices(world)

        with pytest.raises(UnknownInvoice), transaction.atomic():
            post_payments(
                payments=[
                    draft(world, "5", "A"),
                    draft(world, "5", "B", allocations=[("NO", Decimal(5))]),
                ],
                actor=None,
                now=NOW,
            )

        assert not Payment.objects.exists()


class TestAllocatePayment:
    def test_puts_the_rest_on_what_came_later(self, world: World) -> None:
        posted = pay(world, "15")
        two_invoices(world)

        moved = allocate_payment(payment_id=posted.payment_id, actor=None, now=NOW)

        assert moved == Decimal(15)
        assert states() == [("paid", Decimal(10)), ("partly_paid", Decimal(5))]
        assert Payment.objects.get().unapplied == 0
        assert JournalEntry.objects.filter(cause_kind="finance.allocation").count() == 2
        assert balance(world, "unapplied") == 0
        assert drift() == {}

    def test_puts_it_where_it_is_told_piece_by_piece(self, world: World) -> None:
        posted = pay(world, "15")
        _, second = two_invoices(world)
        for part in ("4", "5"):
            allocate_payment(
                payment_id=posted.payment_id,
                allocations=[(second, Decimal(part))],
                actor=None,
                now=NOW,
            )

        assert PaymentAllocation.objects.count() == 2
        assert Payment.objects.get().unapplied == Decimal(6)
        assert states()[1] == ("partly_paid", Decimal(9))
        assert drift() == {}

    def test_refuses_more_than_is_left(self, world: World) -> None:
        posted = pay(world, "5")
        first, _ = two_invoices(world)

        with pytest.raises(OverAllocated), transaction.atomic():
            allocate_payment(
                payment_id=posted.payment_id,
                allocations=[(first, Decimal(6))],
                actor=None,
                now=NOW,
            )
        allocate_payment(payment_id=posted.payment_id, actor=None, now=NOW)
        with pytest.raises(NothingToApply):
            allocate_payment(payment_id=posted.payment_id, actor=None, now=NOW)

        assert PaymentAllocation.objects.count() == 1

    def test_refuses_what_is_not_there(self, world: World) -> None:
        with pytest.raises(UnknownPayment):
            allocate_payment(payment_id=1, actor=None, now=NOW)
