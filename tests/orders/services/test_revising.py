"""orders/services/_revising.py, with _rewriting, _rechecking and _following."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erp.governance.models import AuditEntry, DecisionRecord
from erp.kernel.errors import DomainError
from erp.kernel.invariants import check
from erp.outbox.models import Message
from inventory.models import Reservation, Shipment, Stock
from inventory.selectors import INVARIANTS as STOCK_INVARIANTS
from orders.models import CreditAccount, Hold, Order
from orders.selectors import INVARIANTS
from orders.services import (
    Amendment,
    BelowShipped,
    BlockedProduct,
    FreightInvoiced,
    LineCancel,
    LineChange,
    LineDraft,
    NothingLeft,
    NotWhilePicked,
    OrderChanged,
    TooLateToAmend,
    allocate_orders,
    amend_order,
    cancel_lines,
    cancel_order,
)
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def amended(order: Order, *lines: LineChange | LineDraft, **values: Any) -> Order:
    revision = values.pop("revision", None)
    amendment = Amendment(lines=lines, **values)
    return amend_order(
        order_id=order.pk, amendment=amendment, actor=None, now=make.NOW, revision=revision
    )


def change(
    order: Order, place: int = 0, quantity: str | int | None = None, **values: Any
) -> LineChange:
    line = make.lines_of(order)[place]
    wanted = None if quantity is None else Decimal(quantity)
    return LineChange(line.pk, quantity=wanted, **values)


def committed(order: Order) -> Decimal:
    return CreditAccount.objects.values_list("committed", flat=True).get(pk=order.account_id)


def broken() -> list[str]:
    found = [check(invariant) for invariant in (*INVARIANTS, *STOCK_INVARIANTS)]
    return [finding.code for finding in found if finding.violations]


class TestQuantity:
    def test_up_keeps_more_and_commits_more(self) -> None:
        part = make.priced("10")
        stock = make.stocked(part, 9)
        order = make.allocated(make.account(), make.line(part, 3))

        order = amended(order, change(order, 0, 8))

        (line,) = make.lines_of(order)
        stock.refresh_from_db()
        assert (order.state, order.revision, order.total) == ("allocated", 1, 80)
        assert (line.quantity, line.reserved, stock.reserved, committed(order)) == (8, 8, 8, 80)
        assert not broken()

    def test_beyond_the_stock_leaves_the_order_partly_allocated(self) -> None:
        part = make.priced("10")
        make.stocked(part, 4)
        order = make.allocated(make.account(), make.line(part, 3))

        order = amended(order, change(order, 0, 6))

        (line,) = make.lines_of(order)
        assert (order.state, line.reserved, line.waiting) == ("partly_allocated", 4, 2)
        assert Message.objects.filter(name="orders.line_fell_short").count() == 1
        assert not broken()

    def test_down_gives_back_stock_and_credit(self) -> None:
        part = make.priced("10")
        stock = make.stocked(part, 9)
        order = make.allocated(make.account(), make.line(part, 8))

        order = amended(order, change(order, 0, 3))

        (line,) = make.lines_of(order)
        stock.refresh_from_db()
        assert (line.quantity, line.cancelled, line.reserved) == (3, 0, 3)
        assert (stock.reserved, committed(order), order.total) == (3, 30, 30)
        planned = Shipment.objects.filter(state="planned").get()
        assert planned.lines.get().quantity == 3
        assert not broken()

    def test_down_below_what_waits_covers_the_line(self) -> None:
        part = make.priced("10")
        make.stocked(part, 3)
        order = make.allocated(make.account(), make.line(part, 8))

        order = amended(order, change(order, 0, 3))

        assert order.state == "allocated"
        assert Message.objects.filter(name="orders.line_covered").count() == 1
        assert not broken()

    def test_the_break_that_is_reached_then_counts(self) -> None:
        part = make.priced("10")
        make.listed(part, "8", min_quantity=Decimal(10))
        order = make.submitted(make.account(), make.line(part, 3))

        order = amended(order, change(order, 0, 10))

        assert (make.lines_of(order)[0].unit_price, committed(order)) == (8, 80)

    def test_an_entered_price_stays(self) -> None:
        part = make.priced("10")
        order = make.submitted(make.account(), make.line(part, 3, unit_price=Decimal("9.5")))

        order = amended(order, change(order, 0, 4))

        (line,) = make.lines_of(order)
        assert (line.unit_price, line.price_source, line.amount) == (Decimal("9.5"), "entered", 38)

    def test_zero_takes_the_line_off(self) -> None:
        one, two = make.priced("10"), make.priced("20")
        make.stocked(one, 5)
        make.stocked(two, 5)
        order = make.allocated(make.account(), make.line(one, 2), make.line(two, 2))

        order = amended(order, change(order, 0, 0))

        first, second = make.lines_of(order)
        assert (first.cancelled, first.reserved, second.reserved) == (2, 0, 2)
        assert (order.state, committed(order)) == ("allocated", 40)
        assert not Stock.objects.filter(product=one).exclude(reserved=0).exists()
        assert not broken()

    def test_the_state_follows_when_the_only_reserved_line_goes(self) -> None:
        one, two = make.priced("10"), make.priced("20")
        make.stocked(one, 5)
        order = make.allocated(make.account(), make.line(one, 2), make.line(two, 2))
        assert order.state == "partly_allocated"

        order = amended(order, change(order, 0, 0))

        assert order.state == "backordered"
        assert not broken()

    def test_of_every_line_is_refused(self) -> None:
        order = make.submitted(make.account(), make.line(make.priced(), 2))

        with pytest.raises(NothingLeft):
            amended(order, change(order, 0, 0))

        assert Order.objects.get(pk=order.pk).revision == 0


class TestLines:
    def test_a_new_one_is_priced_kept_and_committed(self) -> None:
        one, two = make.priced("10"), make.priced("7")
        make.stocked(one, 5)
        make.stocked(two, 5)
        order = make.allocated(make.account(), make.line(one, 2))

        order = amended(order, make.line(two, 3))

        _, added = make.lines_of(order)
        assert (added.position, added.reserved, added.amount) == (2, 3, 21)
        assert (order.state, order.subtotal, committed(order)) == ("allocated", 41, 41)
        assert not broken()

    def test_one_that_cannot_be_sold_names_its_place(self) -> None:
        part = make.priced("10")
        order = make.submitted(make.account(), make.line(part, 2))
        blocked = make.priced("10", is_blocked=True)

        with pytest.raises(BlockedProduct) as refusal:
            amended(order, change(order, 0, disposition="cancel"), make.line(blocked))

        assert refusal.value.errors[0]["field"] == "lines[1].product"
        assert make.lines_of(order)[0].disposition == "backorder"

    def test_another_price_and_node(self) -> None:
        part = make.priced("10")
        near, far = make.node("NEAR"), make.node("FAR")
        make.stocked(part, 5, node=near)
        make.stocked(part, 5, node=far)
        order = make.allocated(make.account(), make.line(part, 2, node_id=near.pk))

        order = amended(order, change(order, 0, unit_price=Decimal(12), node_id=far.pk))

        (line,) = make.lines_of(order)
        kept = Reservation.objects.get(closed_at=None).stock
        assert (line.unit_price, line.price_source, committed(order)) == (12, "entered", 24)
        assert (kept.node_id, kept.reserved) == (far.pk, 2)
        assert not broken()


class TestHead:
    def test_an_address_goes_to_the_shipments_that_wait_even_packed_ones(self) -> None:
        part = make.priced("10")
        make.stocked(part, 5)
        order = make.picked(make.account(), make.line(part, 2))

        order = amended(order, ship_to={"name": "Elsewhere", "country": "US", "city": "X"})

        states = dict(Shipment.objects.values_list("state", "ship_to__name"))
        assert states["planned"] == "Elsewhere"
        assert set(states) == {"planned", "void"}
        assert make.lines_of(order)[0].reserved == 2
        assert not broken()

    def test_a_date_asks_no_credit_and_a_raise_does(self) -> None:
        part = make.priced("10")
        order = make.submitted(make.account(), make.line(part, 2))
        asked = DecisionRecord.objects.filter(version__policy__code="orders.release.credit")
        before = asked.count()

        order = amended(order, requested_date=order.requested_date + timedelta(days=30))
        assert asked.count() == before
        assert order.requested_date == make.TODAY + timedelta(days=30)

        amended(order, change(order, 0, 3))
        assert asked.count() == before + 1

    def test_lowering_asks_no_credit(self) -> None:
        order = make.submitted(make.account(), make.line(make.priced("10"), 3))
        asked = DecisionRecord.objects.filter(version__policy__code="orders.release.credit")
        before = asked.count()

        amended(order, change(order, 0, 2))

        assert asked.count() == before

    def test_freight_is_committed_until_it_is_invoiced(self) -> None:
        part = make.priced("10")
        make.stocked(part, 1)
        order = make.allocated(make.account(), make.line(part, 2))

        order = amended(order, freight=Decimal("4.50"))
        assert (order.total, committed(order)) == (Decimal("24.50"), Decimal("24.50"))

        order.lines.update(shipped=1, reserved=0, invoiced=1)
        with pytest.raises(FreightInvoiced):
            amended(order, freight=Decimal(5))


class TestCredit:
    def test_a_raise_to_the_limit_passes_and_a_cent_over_is_held(self) -> None:
        part = make.priced("10")
        make.stocked(part, 50)
        on = make.account(limit="100")
        order = make.allocated(on, make.line(part, 5))

        order = amended(order, change(order, 0, 10))
        assert (order.state, committed(order)) == ("allocated", 100)

        order = amended(order, freight=Decimal("0.01"))
        (line,) = make.lines_of(order)
        assert (order.state, line.reserved, committed(order)) == ("held", 0, 0)
        assert Hold.objects.get(state="active").kind == "credit"
        assert not broken()

    def test_lowering_a_held_order_lets_it_go(self) -> None:
        order = make.submitted(make.account(limit="50"), make.line(make.priced("10"), 8))
        assert order.state == "held"

        order = amended(order, change(order, 0, 5))

        assert (order.state, committed(order)) == ("released", 50)
        assert not Hold.objects.filter(state="active").exists()
        assert not broken()

    def test_a_raise_of_what_is_being_picked_is_refused_and_changes_nothing(self) -> None:
        part = make.priced("10")
        make.stocked(part, 50)
        order = make.picked(make.account(limit="50"), make.line(part, 5))

        with pytest.raises(NotWhilePicked):
            amended(order, change(order, 0, 6))

        (line,) = make.lines_of(order)
        assert (line.quantity, line.reserved, committed(order)) == (5, 5, 50)


class TestPartlyShipped:
    def order(self) -> Order:
        part = make.priced("10")
        make.stocked(part, 3)
        order = make.picked(make.account(), make.line(part, 8))
        make.left(order)
        return Order.objects.get(pk=order.pk)

    def test_what_has_left_is_the_floor(self) -> None:
        order = self.order()

        with pytest.raises(BelowShipped):
            amended(order, change(order, 0, 2))

        order = amended(order, change(order, 0, 3))
        (line,) = make.lines_of(order)
        assert (order.state, line.cancelled, committed(order)) == ("shipped", 5, 0)

    def test_more_of_it_goes_on_in_a_line_of_its_own(self) -> None:
        order = self.order()

        order = amended(order, change(order, 0, 10))

        line, more = make.lines_of(order)
        assert (line.quantity, line.waiting, more.quantity, more.unit_price) == (8, 5, 2, 10)
        assert (order.state, committed(order)) == ("partly_shipped", 70)

    def test_another_price_is_the_rest_s_only(self) -> None:
        order = self.order()

        order = amended(order, change(order, 0, unit_price=Decimal(9)))

        line, rest = make.lines_of(order)
        assert (line.cancelled, line.unit_price, rest.quantity, rest.unit_price) == (5, 10, 5, 9)
        assert committed(order) == 45


class TestTogether:
    def test_changing_nothing_writes_nothing(self) -> None:
        order = make.submitted(make.account(), make.line(make.priced(), 2))

        order = amended(order, change(order, 0, 2), requested_date=order.requested_date)

        assert order.revision == 0
        assert not AuditEntry.objects.filter(action="orders.amend").exists()

    def test_the_audit_says_before_and_after(self) -> None:
        order = make.submitted(make.account(), make.line(make.priced("10"), 2))

        amended(order, change(order, 0, 5), reason="They called")

        entry = AuditEntry.objects.get(action="orders.amend")
        assert (entry.before["lines"], entry.after["lines"]) == ({"1": "2 at 10"}, {"1": "5 at 10"})
        assert (entry.reason, entry.after["revision"]) == ("They called", 1)
        assert Message.objects.filter(name="orders.order_amended").count() == 1

    def test_refuses_an_older_revision_and_what_is_over(self) -> None:
        order = make.submitted(make.account(), make.line(make.priced(), 2))
        amended(order, change(order, 0, 3), revision=0)

        with pytest.raises(OrderChanged):
            amended(order, change(order, 0, 4), revision=0)

        cancel_order(order_id=order.pk, actor=None, reason="x", now=make.NOW)
        with pytest.raises(TooLateToAmend):
            amended(order, change(order, 0, 4))


@pytest.mark.django_db(transaction=True)
def test_of_two_who_amend_one_revision_one_wins() -> None:
    part = make.priced("10")
    make.stocked(part, 50)
    order = make.allocated(make.account(), make.line(part, 2))
    barrier, found = Barrier(2), []

    def run(call: Callable[[], object]) -> None:
        barrier.wait()
        try:
            call()
        except DomainError as error:
            found.append(error)
        finally:
            connection.close()

    wishes = [change(order, 0, 5), change(order, 0, 9)]
    threads = [
        Thread(target=run, args=[lambda w=wish: amended(order, w, revision=0)]) for wish in wishes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (line,) = make.lines_of(order)
    assert [type(each) for each in found] == [OrderChanged]
    assert line.quantity in {5, 9}
    assert line.reserved == line.quantity
    assert committed(order) == line.quantity * 10


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("amend"), st.integers(0, 2), st.integers(0, 12)),
        st.tuples(st.just("price"), st.integers(0, 2), st.sampled_from(["7.5", "10", "3.3333"])),
        st.tuples(st.just("cancel"), st.integers(0, 2), st.integers(1, 4)),
        st.tuples(st.just("add"), st.integers(0, 1), st.integers(1, 5)),
        st.tuples(st.just("ship"), st.just(0), st.just(0)),
        st.tuples(st.just("pick"), st.just(0), st.just(0)),
        st.tuples(st.just("address"), st.just(0), st.integers(0, 9)),
        st.tuples(st.just("date"), st.just(0), st.integers(0, 20)),
    ),
    min_size=1,
    max_size=7,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, stock=st.integers(0, 14))
def test_any_sequence_ends_where_an_order_entered_so_begins(steps, stock) -> None:
    from django.db import transaction  # noqa: PLC0415

    with transaction.atomic():
        parts = [make.priced("10.3333"), make.priced("4.05")]
        for part in parts:
            make.stocked(part, stock) if stock else None
        on = make.account(limit="100000")
        order = make.allocated(on, make.line(parts[0], 5), make.line(parts[1], 3))
        for step in steps:
            try:
                with transaction.atomic():
                    walk(order, parts, step)
            except DomainError:
                pass  # a refusal changes nothing: what follows says so
            assert not broken(), step

        left = [
            (line.product, line.quantity - line.cancelled - line.shipped, line.unit_price)
            for line in make.lines_of(order)
        ]
        asked = [make.line(p, q, unit_price=u) for p, q, u in left if q]
        state = Order.objects.get(pk=order.pk).state
        if state == "held":  # a price nobody agreed to: nothing is kept or committed for it
            assert (committed(order), reserved_of(order)) == (Decimal(0), {})
        elif asked and state not in {"cancelled", "shipped"}:
            if state == "released":  # it waits for its turn, which comes by an event
                allocate_orders(order_ids=[order.pk], cause="compare", now=make.NOW)
            mine, kept = committed(order), reserved_of(order)
            cancel_order(order_id=order.pk, actor=None, reason="compare", now=make.NOW)
            # Each line alone rounds once: a part of a line may differ by a step of rounding.
            twin = make.allocated(on, *asked)
            on.refresh_from_db()
            assert abs(committed(twin) - mine) <= Decimal("0.0001") * len(left)
            assert reserved_of(twin) == kept
        assert not broken()
        transaction.set_rollback(True)


def reserved_of(order: Order) -> dict[int, Decimal]:
    found: dict[int, Decimal] = {}
    for line in make.lines_of(order):
        found[line.product_id] = found.get(line.product_id, Decimal(0)) + line.reserved
    return {product: quantity for product, quantity in found.items() if quantity}


def walk(order: Order, parts, step) -> None:
    kind, place, value = step
    lines = make.lines_of(order)
    order = Order.objects.get(pk=order.pk)
    line = lines[place % len(lines)]
    if kind == "amend":
        amended(order, LineChange(line.pk, quantity=Decimal(value)))
    elif kind == "price":
        amended(order, LineChange(line.pk, unit_price=Decimal(value)))
    elif kind == "add":
        amended(order, make.line(parts[place], value))
    elif kind == "address":
        amended(order, ship_to={"name": f"Door {value}", "city": "X", "country": "US"})
    elif kind == "date":
        amended(order, requested_date=make.TODAY + timedelta(days=value))
    elif kind == "cancel":
        wish = LineCancel(line.pk, Decimal(value))
        cancel_lines(order_id=order.pk, lines=[wish], actor=None, reason="less", now=make.NOW)
    else:
        make.floor(order, ships=kind == "ship")
