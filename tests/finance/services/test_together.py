"""Tests what happens when two do it at once: numbers, invoices, payments, closing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from erp.accounts.models import User
from finance.models import Invoice, InvoiceLine, JournalEntry, Payment, Period
from finance.services import (
    PeriodClosed,
    PeriodHasBlockers,
    close_period,
    invoice_shipments,
    open_books,
    post_payment,
    ship_shipments,
)
from tests.finance import factories
from tests.finance.factories import NOW, TODAY, World, drift, invoiced, packed, product, shipped

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shared(db: Any) -> World:
    return factories.world()


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run each in a thread and connection of its own; return what each answered or raised."""

    def run(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception as error:  # noqa: BLE001  the test looks at it
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


class Undone(Exception):
    """Rolls a transaction back."""


class TestTogether:
    def test_numbers_have_no_gap_when_some_roll_back(self, shared: World) -> None:
        goods = product(shared)
        shipments = [shipped(shared, (goods, "1", "5"))[1] for _ in range(16)]

        def invoice(place: int) -> list[Any]:
            with transaction.atomic():
                done = invoice_shipments(shipment_ids=shipments[place], now=NOW)
                if place % 3 == 0:
                    raise Undone
            return done

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: at_once(lambda: invoice(n)), range(16)))
        invoice_shipments(shipment_ids=None, now=NOW)

        numbers = sorted(Invoice.objects.values_list("number", flat=True))
        assert numbers == [f"INV-US01-{n:06d}" for n in range(1, 17)]
        assert drift() == {}

    def test_a_shipment_is_shipped_and_invoiced_once(self, shared: World) -> None:
        _, shipments = packed(shared, (product(shared), "4", "9.99"))

        at_once(
            *[lambda: ship_shipments(shipment_ids=shipments, actor=None, now=NOW)] * 4,
        )
        answers = at_once(
            *[lambda: invoice_shipments(shipment_ids=shipments, now=NOW)] * 3,
            *[lambda: invoice_shipments(shipment_ids=None, now=NOW)] * 3,
        )

        assert not [each for each in answers if isinstance(each, Exception)]
        assert InvoiceLine.objects.count() == 1
        assert JournalEntry.objects.filter(kind__in=["shipment", "invoice"]).count() == 2
        assert drift() == {}

    def test_two_shipments_of_one_order_bear_its_freight_once(self, shared: World) -> None:
        goods = product(shared)
        far = factories.Node.objects.create(
            code="FAR", name="Far", entity=shared.entity, country="US", time_zone="UTC"
        )
        other = product(World(shared.entity, far, shared.customer, shared.account_id))
        _, shipments = packed(shared, (goods, "1", "5"), (other, "1", "5"), freight="9")
        assert len(shipments) == 2

        answers = at_once(
            *[lambda s=s: ship_shipments(shipment_ids=[s], actor=None, now=NOW) for s in shipments]
        )
        answers += at_once(
            *[lambda s=s: invoice_shipments(shipment_ids=[s], now=NOW) for s in shipments]
        )

        assert not [each for each in answers if isinstance(each, Exception)]
        assert sorted(Invoice.objects.values_list("freight", flat=True)) == [0, Decimal(9)]
        assert drift() == {}

    def test_a_payment_is_posted_once_and_pays_no_more_than_is_owed(self, shared: World) -> None:
        goods = product(shared)
        for _ in range(2):
            invoiced(shared, (goods, "1", "10"))

        def pay(reference: str, amount: str) -> Any:
            return post_payment(
                entity_id=shared.entity.pk, customer_id=shared.customer.pk,
                amount=Decimal(amount), reference=reference, received_date=TODAY,
                actor=None, now=NOW,
            )  # fmt: skip

        answers = at_once(
            *[lambda: pay("SAME", "8")] * 4,
            *[lambda n=n: pay(f"R-{n}", "5") for n in range(4)],
        )

        assert not [each for each in answers if isinstance(each, Exception)]
        assert Payment.objects.count() == 5
        assert {state for (state,) in Invoice.objects.values_list("state")} == {"paid"}
        assert sum(Payment.objects.values_list("unapplied", flat=True)) == Decimal(8)
        assert drift() == {}

    def test_all_at_once_on_one_account(self, shared: World) -> None:
        goods = product(shared)
        ready = [packed(shared, (goods, "1", "7"))[1] for _ in range(6)]
        gone = [shipped(shared, (goods, "1", "3"))[1] for _ in range(6)]
        invoiced(shared, (goods, "4", "10"))

        answers = at_once(
            *[lambda s=s: ship_shipments(shipment_ids=s, actor=None, now=NOW) for s in ready],
            *[lambda s=s: invoice_shipments(shipment_ids=s, now=NOW) for s in gone],
            *[
                lambda n=n: post_payment(
                    entity_id=shared.entity.pk, customer_id=shared.customer.pk,
                    amount=Decimal(6), reference=f"P-{n}", received_date=TODAY,
                    actor=None, now=NOW,
                )
                for n in range(6)
            ],
        )  # fmt: skip

        assert not [each for each in answers if isinstance(each, Exception)]
        assert drift() == {}

    def test_nothing_is_posted_into_a_month_that_closes(self, shared: World) -> None:
        goods = product(shared)
        controller = User.objects.create_user("controller")
        month = Period.objects.get(entity=shared.entity, starts="2026-11-01")
        ready = [packed(shared, (goods, "1", "7"))[1] for _ in range(4)]

        answers = at_once(
            lambda: close_period(period_id=month.pk, actor=controller, now=NOW),
            *[lambda s=s: ship_shipments(shipment_ids=s, actor=None, now=NOW) for s in ready],
        )

        closing, *shipping = answers
        if Period.objects.get(pk=month.pk).state == "closed":
            assert all(isinstance(each, PeriodClosed) for each in shipping)
            assert not JournalEntry.objects.filter(kind="shipment").exists()
        else:
            assert isinstance(closing, PeriodHasBlockers)
            assert not [each for each in shipping if isinstance(each, Exception)]
        assert drift() == {}

    def test_books_are_opened_once(self, shared: World) -> None:
        answers = at_once(*[lambda: open_books(entity_id=shared.entity.pk, now=NOW)] * 4)

        assert answers == [None] * 4
        assert drift() == {}
