"""orders/services/promising/_promising.py and inventory/services/promising/_pegging.py"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.db import InternalError, transaction

from erp.kernel.sql import rows
from erp.outbox.models import Message
from inventory.models import Calendar, CalendarDay, Inbound, Peg, Product, SupplierPace
from inventory.services import ExpectedGoods, expect_goods
from inventory.services.promising import CalendarDraft, DayDraft, follow_calendar, save_calendar
from orders.models import Order, OrderLine, PromiseChange
from orders.services import cancel_order, keep_backorder
from orders.services._allowing import keep_terms
from orders.services.promising import (
    promise_by_calendar,
    promise_orders,
    promise_products,
    set_customer_calendar,
)
from tests.orders.factories import (
    NOW,
    account,
    allocated,
    company,
    customer,
    line,
    lines_of,
    node,
    priced,
    stocked,
)
from tests.orders.services.segmenting.test_segmenting import assigned, kept, segment

pytestmark = pytest.mark.django_db
PO = "procurement.line"
TUESDAY, FRIDAY = date(2026, 12, 1), date(2026, 12, 4)
WANTED = date(2026, 11, 30)


def coming(
    of: Product, quantity: int, on: date, *, source: int = 1, supplier: int | None = None
) -> None:
    expect_goods(
        kind=PO,
        goods=[
            ExpectedGoods(
                source_id=source,
                entity_id=company().pk,
                node_id=node().pk,
                product_id=of.pk,
                quantity=Decimal(quantity),
                expected_date=on,
                supplier_id=supplier,
                label=f"PO-{source}",
            )
        ],
    )


def promised(order: Order, cause: str = "Allocation") -> int:
    return promise_orders(order_ids=[order.pk], cause=cause, now=NOW)


def ledger(of: OrderLine) -> list[tuple[date | None, date | None, date | None, str]]:
    found = PromiseChange.objects.filter(line=of).order_by("pk")
    return list(found.values_list("previous_date", "promised_date", "p90_date", "cause"))


def pegged() -> dict[int, Decimal]:
    return {peg.demand_id: peg.quantity for peg in Peg.objects.all()}


class TestPromiseOrders:
    def test_promises_by_what_comes_with_odds_and_the_supply_behind_it(self) -> None:
        pen = priced()
        coming(pen, 50, TUESDAY)
        order = allocated(account(), line(pen, 20), requested_date=WANTED)
        assert promised(order) == 1
        (waits,) = lines_of(order)

        # Comes on Tuesday, leaves on Wednesday, two days on the way; the usual supplier is up to
        # three days late nine times of ten: Friday, so it leaves on Monday.
        assert waits.promised_date == waits.first_promised_date == date(2026, 12, 4)
        assert waits.promised_p90_date == date(2026, 12, 9)
        assert waits.promise_basis is not None
        (supply,) = waits.promise_basis["supplies"]
        assert (supply["kind"], supply["label"], supply["quantity"]) == ("inbound", "PO-1", "20")
        assert pegged() == {waits.pk: Decimal(20)}
        assert ledger(waits) == [(None, date(2026, 12, 4), date(2026, 12, 9), "Allocation")]
        order.refresh_from_db(fields=["promised_date"])
        assert order.promised_date == date(2026, 12, 4)

    def test_asked_again_it_changes_and_tells_nothing(self) -> None:
        pen = priced()
        coming(pen, 50, TUESDAY)
        order = allocated(account(), line(pen, 20), requested_date=WANTED)
        promised(order)
        told = Message.objects.count()

        assert promised(order, "Again") == 0
        assert Message.objects.count() == told
        assert PromiseChange.objects.count() == 1

    def test_uses_what_was_measured_of_the_supplier(self) -> None:
        SupplierPace.objects.create(supplier_id=7, p50_days=2, p90_days=9, samples=5, told_at=NOW)
        pen = priced()
        coming(pen, 50, TUESDAY, supplier=7)
        order = allocated(account(), line(pen, 20), requested_date=WANTED)
        promised(order)
        (waits,) = lines_of(order)

        assert waits.promised_date == date(2026, 12, 6)  # in on Thursday, leaves on Friday
        assert waits.promised_p90_date == date(2026, 12, 13)  # in on the 10th, leaves on the 11th

    def test_what_is_overdue_stays_in_the_promise_and_is_flagged(self) -> None:
        pen = priced()
        coming(pen, 50, date(2026, 11, 18))
        order = allocated(account(), line(pen, 20), requested_date=date(2026, 11, 25))
        promised(order)
        (waits,) = lines_of(order)

        assert waits.promised_date == date(2026, 11, 27)  # in on the 24th at the soonest
        assert waits.promise_basis is not None
        assert waits.promise_basis["supplies"][0]["overdue"] == "yes"

    def test_the_more_urgent_order_is_pegged_first_and_others_move_back(self) -> None:
        pen = priced()
        coming(pen, 20, TUESDAY)
        coming(pen, 20, FRIDAY, source=2)
        usual = allocated(account(customer(tier="D")), line(pen, 20), requested_date=WANTED)
        promised(usual)
        (first,) = lines_of(usual)
        assert first.promised_date == date(2026, 12, 4)

        urgent = allocated(account(customer(tier="A")), line(pen, 20), requested_date=WANTED)
        Order.objects.filter(pk=urgent.pk).update(priority=1)
        assert promised(urgent) == 2
        (second,) = lines_of(urgent)
        first = lines_of(usual)[0]
        assert second.promised_date == date(2026, 12, 4)
        assert first.promised_date == date(2026, 12, 9)  # in on Friday, leaves on Monday
        assert first.first_promised_date == date(2026, 12, 4)

        cancel_order(order_id=urgent.pk, actor=None, reason="test", now=NOW)
        assert promised(urgent, "Another order was cancelled") == 1
        first = lines_of(usual)[0]
        assert first.promised_date == date(2026, 12, 4)
        assert [row[3] for row in ledger(first)][-1] == "Another order was cancelled"
        assert pegged() == {first.pk: Decimal(20)}

    def test_nothing_is_promised_while_nothing_brings_all_of_it(self) -> None:
        pen = priced()
        coming(pen, 5, TUESDAY)
        order = allocated(account(), line(pen, 20), requested_date=WANTED)
        assert promised(order) == 0
        (waits,) = lines_of(order)

        assert waits.promised_date is None
        assert pegged() == {waits.pk: Decimal(5)}

    def test_the_customer_takes_goods_in_on_their_own_days(self) -> None:
        week = Calendar.objects.create(code="SHUT", name="Shut", weekdays="1111100")
        CalendarDay.objects.create(calendar=week, day=date(2026, 12, 4))
        pen = priced()
        coming(pen, 50, TUESDAY)
        order = allocated(account(customer(calendar=week)), line(pen, 20), requested_date=WANTED)
        promised(order)

        assert lines_of(order)[0].promised_date == date(2026, 12, 7)


class TestBounds:
    def test_an_order_that_insists_on_places_is_not_promised_by_what_comes_elsewhere(self) -> None:
        pen = priced()
        coming(pen, 50, TUESDAY)
        choosy = allocated(account(), line(pen, 20), requested_date=WANTED)
        keep_terms({"nodes": [node("DC-B").code]}, order_id=choosy.pk)
        plain = allocated(account(), line(pen, 5), requested_date=WANTED)

        promise_orders(order_ids=[choosy.pk, plain.pk], cause="Allocation", now=NOW)

        assert pegged() == {lines_of(plain)[0].pk: Decimal(5)}
        assert lines_of(choosy)[0].promised_date is None

    def test_what_is_only_wished_for_binds_no_peg(self) -> None:
        pen = priced()
        coming(pen, 50, TUESDAY)
        order = allocated(account(), line(pen, 20), requested_date=WANTED)
        terms = {"nodes": [node("DC-B").code], "soft": ["places"]}
        keep_terms(terms, order_id=order.pk)

        promised(order)

        assert pegged() == {lines_of(order)[0].pk: Decimal(20)}

    def test_what_is_kept_for_others_is_not_pegged(self) -> None:
        pen = priced()
        coming(pen, 50, TUESDAY)
        gold = customer("GOLD")
        segment("top")
        assigned("customer", "GOLD", "top")
        kept(pen, "top", 30)
        plain = allocated(account(), line(pen, 40), requested_date=WANTED)
        promised(plain)
        assert pegged() == {lines_of(plain)[0].pk: Decimal(20)}
        late = allocated(account(gold), line(pen, 45), requested_date=FRIDAY)

        promised(late)

        first, second = lines_of(plain)[0].pk, lines_of(late)[0].pk
        assert pegged() == {first: Decimal(20), second: Decimal(30)}
        promised(late)
        assert pegged() == {first: Decimal(20), second: Decimal(30)}


class TestWhenSupplyMoves:
    def test_the_promise_moves_with_it_and_says_why(self, deliver_all: Callable[[], int]) -> None:
        pen, ink = priced(), priced()
        coming(pen, 50, TUESDAY)
        coming(ink, 50, TUESDAY, source=2)
        order = allocated(account(), line(pen, 20), line(ink, 20), requested_date=WANTED)
        deliver_all()
        moved, stays = lines_of(order)
        assert moved.promised_date == stays.promised_date == date(2026, 12, 4)

        coming(pen, 50, FRIDAY)
        deliver_all()
        after, untouched = lines_of(order)
        assert after.promised_date == date(2026, 12, 9)
        assert ledger(after)[-1] == (
            date(2026, 12, 4), date(2026, 12, 9), date(2026, 12, 10),
            "PO-1 moved from 2026-12-01 to 2026-12-04",
        )  # fmt: skip
        assert ledger(untouched) == ledger(stays)
        told = Message.objects.filter(name="orders.promise_changed").order_by("pk").last()
        assert told is not None
        assert told.payload["previous_date"] == "2026-12-04"

    def test_a_supply_that_falls_away_takes_its_pegs_along(self) -> None:
        pen = priced()
        coming(pen, 50, TUESDAY)
        order = allocated(account(), line(pen, 20), requested_date=WANTED)
        promised(order)
        coming(pen, 15, TUESDAY)
        assert [peg.quantity for peg in Peg.objects.all()] == [15]

        coming(pen, 0, TUESDAY)
        assert not Peg.objects.exists()
        assert not Inbound.objects.exists()

    def test_what_was_promised_by_hand_stays_while_it_can_be_kept(self) -> None:
        pen = priced()
        coming(pen, 50, TUESDAY)
        order = allocated(account(), line(pen, 20), requested_date=WANTED)
        (waits,) = lines_of(order)
        keep_backorder(line_id=waits.pk, promised_date=date(2026, 12, 8), actor=None, now=NOW)
        assert promised(order) == 0
        assert lines_of(order)[0].promised_date == date(2026, 12, 8)

        coming(pen, 50, date(2026, 12, 10))
        causes = {pen.pk: "PO-1 moved"}
        assert promise_products(entity_id=company().pk, causes=causes, now=NOW) == 1
        assert lines_of(order)[0].promised_date == date(2026, 12, 13)


class TestLedger:
    def test_the_database_writes_a_row_for_every_change_whoever_makes_it(self) -> None:
        pen = priced()
        stocked(pen, 20)
        order = allocated(account(), line(pen, 20), requested_date=WANTED)
        (kept,) = lines_of(order)
        assert [row[3] for row in ledger(kept)] == ["Reserved from stock"]

        OrderLine.objects.filter(pk=kept.pk).update(promised_date=FRIDAY)
        assert ledger(kept)[-1][1:] == (FRIDAY, kept.promised_p90_date, "Promised by hand")

    def test_nobody_rewrites_it(self) -> None:
        pen = priced()
        stocked(pen, 20)
        allocated(account(), line(pen, 20), requested_date=WANTED)
        with pytest.raises(InternalError), transaction.atomic():
            rows("UPDATE orders_promisechange SET cause = 'x' RETURNING id")
        with pytest.raises(InternalError), transaction.atomic():
            rows("DELETE FROM orders_promisechange RETURNING id")
        assert PromiseChange.objects.count() == 1


class TestPromiseByCalendar:
    def test_a_new_holiday_of_the_node_moves_what_is_kept(
        self, deliver_all: Callable[[], int]
    ) -> None:
        pen, ink = priced(), priced()
        stocked(pen, 5)
        stocked(ink, 5, node=node("DC-B"))
        here = allocated(account(), line(pen, 2))
        there = allocated(account(), line(ink, 2))
        save_calendar(draft=CalendarDraft(code="US", name="US"), actor=None, now=NOW)
        follow_calendar(code="US", followers={"nodes": ["DC-A"]}, entity_ids=[company().pk],
                        actor=None, now=NOW)  # fmt: skip
        deliver_all()
        first = [lines_of(order)[0].promised_date for order in (here, there)]

        tomorrow = DayDraft(day=date(2026, 11, 24), name="Stocktaking")
        draft = CalendarDraft(code="US", name="US", days=[tomorrow])
        save_calendar(draft=draft, actor=None, now=NOW)
        promise_by_calendar(
            calendar_id=Calendar.objects.get().pk, followers={}, cause="Other days", now=NOW
        )

        moved, same = lines_of(here)[0], lines_of(there)[0]
        assert first == [date(2026, 11, 26)] * 2
        assert (moved.promised_date, same.promised_date) == (date(2026, 11, 27), first[1])
        assert ledger(moved)[-1][3] == "Other days"
        assert moved.first_promised_date == first[0]

    def test_a_customer_who_takes_in_on_fridays_is_promised_a_friday(self) -> None:
        pen = priced()
        stocked(pen, 5)
        order = allocated(account(customer("ACME")), line(pen, 2))
        week = Calendar.objects.create(code="FRI", name="Fridays", weekdays="0000100")
        set_customer_calendar(
            rows={order.customer_id: "ACME"}, calendar_id=week.pk, code="FRI", actor=None, now=NOW
        )

        changed = [
            promise_by_calendar(
                calendar_id=0, followers={"customers": ["ACME"]}, cause="Fridays", now=NOW
            )
            for _ in range(2)
        ]

        assert changed == [1, 0]
        assert lines_of(order)[0].promised_date == date(2026, 11, 27)

    def test_what_is_being_picked_is_left_alone(self) -> None:
        pen = priced()
        stocked(pen, 5)
        order = allocated(account(customer("ACME")), line(pen, 2))
        Order.objects.filter(pk=order.pk).update(state="fulfilling")
        week = Calendar.objects.create(code="FRI", name="Fridays", weekdays="0000100")
        order.customer.__class__.objects.update(calendar=week)

        assert promise_by_calendar(calendar_id=week.pk, followers={}, cause="x", now=NOW) == 0
