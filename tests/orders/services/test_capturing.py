"""orders/services/_capturing.py, with _drafting, _pricing and _refusing."""

from datetime import date
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.db import connection

from erp.governance.models import AuditEntry
from erp.outbox.models import Message
from inventory.models import ProductUom
from orders.models import Order, OrderLine
from orders.services import (
    BadAmount,
    BadQuantity,
    BadReference,
    BlockedProduct,
    CustomerNotServed,
    DraftRefused,
    NoLines,
    NoPrice,
    TooManyLines,
    UnknownProduct,
    UnknownUom,
    create_order,
    create_orders,
    create_orders_bulk,
)
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


class TestCreateOrder:
    def test_keeps_the_order_with_prices_amounts_and_totals(self) -> None:
        on = make.account()
        bolt, nut = make.priced("10.5"), make.priced("0.3333")

        order = make.created(
            on,
            make.line(bolt, 3),
            make.line(nut, "7", discount=Decimal("0.1")),
            freight=Decimal("4.99"),
            customer_po="PO-7",
        )

        first, second = make.lines_of(order)
        assert (first.quantity, first.unit_price, first.amount) == (3, Decimal("10.5"), 31.5)
        assert second.amount == Decimal("2.0998")  # 7 x 0.3333 x 0.9 = 2.09979
        assert (first.price_source, first.waiting) == ("list", 3)
        assert order.subtotal == Decimal("33.5998")
        assert order.total == Decimal("38.59")
        assert (order.state, order.currency) == ("draft", "USD")
        assert order.number.startswith("SO-")
        assert order.ship_to["city"] == "Dayton"
        assert order.requested_date == make.TODAY

    def test_tells_and_records_it(self, clerk) -> None:
        order = make.created(make.account(), make.line(make.priced()), actor=clerk)

        told = Message.objects.get(name="orders.order_created")
        entry = AuditEntry.objects.get(action="orders.create")
        assert told.payload["order_id"] == order.pk
        assert (entry.actor, entry.thread) == (clerk, f"orders.order:{order.pk}")

    def test_converts_units_exactly(self) -> None:
        on, box = make.account(), make.priced("2")
        ProductUom.objects.create(product=box, code="CASE", numerator=12)

        order = make.created(on, make.line(box, "1.5", uom="CASE"))

        (line,) = make.lines_of(order)
        assert (line.quantity, line.uom, line.uom_quantity) == (18, "CASE", Decimal("1.5"))
        assert line.amount == 36

    def test_takes_the_contract_before_the_list_and_the_deepest_break(self) -> None:
        on, part = make.account(), make.priced("10")
        make.listed(part, "8", min_quantity=Decimal(100))
        make.listed(part, "7", customer_id=on.customer_id)
        make.listed(part, "5", customer_id=on.customer_id, min_quantity=Decimal(50))
        other = make.account()

        mine = make.created(on, make.line(part, 49), make.line(part, 50))
        theirs = make.created(other, make.line(part, 99), make.line(part, 100))

        assert [line.unit_price for line in make.lines_of(mine)] == [7, 5]
        assert [line.unit_price for line in make.lines_of(theirs)] == [10, 8]
        assert make.lines_of(mine)[0].price_source == "contract, not list 10"
        assert make.lines_of(mine)[0].price_basis["kind"] == "contract"

    def test_leaves_out_prices_of_other_days_and_currencies(self) -> None:
        on, part = make.account(), make.product()
        make.listed(part, "9", valid_from=date(2026, 11, 24))
        make.listed(part, "8", valid_from=date(2026, 1, 1), valid_until=make.TODAY)
        make.listed(part, "7", valid_from=date(2025, 1, 1), currency="EUR")

        with pytest.raises(NoPrice):
            make.created(on, make.line(part))

        make.listed(part, "6", valid_from=make.TODAY)
        assert make.lines_of(make.created(on, make.line(part)))[0].unit_price == 6

    def test_takes_an_entered_price_as_it_is(self) -> None:
        order = make.created(
            make.account(), make.line(make.product(), 2, unit_price=Decimal("3.1234"))
        )

        (line,) = make.lines_of(order)
        assert (line.unit_price, line.price_source) == (Decimal("3.1234"), "entered")

    def test_takes_the_customers_constraints_unless_told_otherwise(self) -> None:
        on = make.account(make.customer(ship_complete=True, no_split=True))
        part = make.priced()

        order = make.created(on, make.line(part), no_split=False)

        assert (order.ship_complete, order.no_split, order.no_substitutes) == (True, False, False)

    def test_answers_the_same_order_to_the_same_key(self) -> None:
        on, part = make.account(), make.priced()
        asked = make.draft(on, make.line(part), client_key="k-1")

        first = create_order(draft=asked, actor=None, now=make.NOW)
        second = create_order(draft=asked, actor=None, now=make.NOW)

        assert (first.id, first.created, second.created) == (second.id, True, False)
        assert Order.objects.count() == 1
        assert OrderLine.objects.count() == 1
        assert Message.objects.filter(name="orders.order_created").count() == 1

    def test_takes_the_same_key_twice_in_one_batch_as_one_order(self) -> None:
        asked = make.draft(make.account(), make.line(make.priced()), client_key="k-1")

        first, second = create_orders(drafts=[asked, asked], actor=None, now=make.NOW)

        assert (first.id, first.created, second.created) == (second.id, True, False)
        assert OrderLine.objects.count() == 1

    def test_keeps_the_keys_of_entities_apart(self) -> None:
        here, there = make.company(), make.company("US02")
        who = make.customer()
        part = make.priced(entity=here)
        make.listed(part, "10", entity=there)

        orders = [
            make.created(make.account(who, e), make.line(part), client_key="k")
            for e in (here, there)
        ]

        assert orders[0].pk != orders[1].pk


class TestRefusals:
    @pytest.mark.parametrize(
        ("refusal", "field", "change"),
        [
            (NoLines, "lines", {"lines": []}),
            (BadAmount, "freight", {"freight": Decimal(-1)}),
            (BadAmount, "freight", {"freight": Decimal("1.005")}),
            (BadAmount, "freight", {"freight": Decimal("NaN")}),
            (BadReference, "customer_po", {"customer_po": "x" * 61}),
            (BadReference, "ship_to.city", {"ship_to": {"city": "a\0b"}}),
            (CustomerNotServed, "customer", {"customer_id": 0}),
        ],
    )
    def test_refuses_a_head_and_names_the_field(self, refusal, field, change) -> None:
        on = make.account()
        good = make.draft(on, make.line(make.priced()))
        values = {name: getattr(good, name) for name in good.__dataclass_fields__}

        with pytest.raises(refusal) as told:
            create_order(draft=type(good)(**values | change), actor=None, now=make.NOW)

        assert told.value.errors[0]["field"] == field
        assert not Order.objects.exists()
        assert not Message.objects.exists()
        assert not AuditEntry.objects.filter(action="orders.create").exists()

    @pytest.mark.parametrize(
        "quantity", ["0", "-1", "NaN", "Infinity", "1.0001", "1000000000000", "1e-9"]
    )
    def test_refuses_a_quantity(self, quantity) -> None:
        with pytest.raises(BadQuantity) as told:
            make.created(make.account(), make.line(make.priced(), quantity))

        assert told.value.field == "lines[0].quantity"
        assert not Order.objects.exists()

    @pytest.mark.parametrize("price", ["-0.01", "NaN", "1.00001", "1e20"])
    def test_refuses_a_price(self, price) -> None:
        with pytest.raises(BadAmount) as told:
            make.created(make.account(), make.line(make.product(), unit_price=Decimal(price)))

        assert told.value.field == "lines[0].price"

    @pytest.mark.parametrize("discount", ["-0.1", "1.1", "0.0000001", "NaN"])
    def test_refuses_a_discount(self, discount) -> None:
        with pytest.raises(BadAmount) as told:
            make.created(make.account(), make.line(make.priced(), discount=Decimal(discount)))

        assert told.value.field == "lines[0].discount"

    def test_refuses_an_amount_that_no_column_holds(self) -> None:
        wanted = make.line(make.product(), "999999999999", unit_price=Decimal(999999999))

        with pytest.raises(BadAmount):
            make.created(make.account(), wanted)

        assert not Order.objects.exists()

    def test_refuses_products_units_and_nodes_that_are_not_there(self) -> None:
        on, good = make.account(), make.priced()
        blocked = make.priced(is_blocked=True)
        ghost = make.line(good)
        ghost = type(ghost)(product_id=0, quantity=Decimal(1))

        with pytest.raises(UnknownProduct) as told:
            make.created(
                on,
                make.line(good),
                ghost,
                make.line(blocked),
                make.line(good, uom="PAL"),
                make.line(good, node_id=0),
            )

        assert [error["field"] for error in told.value.errors] == [
            "lines[1].product",
            "lines[2].product",
            "lines[3].uom",
            "lines[4].node",
        ]
        assert [error["code"] for error in told.value.errors][1:] == [
            BlockedProduct.code,
            UnknownUom.code,
            BadReference.code,
        ]
        assert not Order.objects.exists()

    def test_refuses_a_quantity_that_is_not_whole_thousandths_of_the_base_unit(self) -> None:
        part = make.priced()
        ProductUom.objects.create(product=part, code="THIRD", numerator=1, denominator=3)

        with pytest.raises(BadQuantity):
            make.created(make.account(), make.line(part, 1, uom="THIRD"))

        assert (
            make.lines_of(make.created(make.account(), make.line(part, 3, uom="THIRD")))[0].quantity
            == 1
        )

    def test_refuses_more_than_ten_thousand_lines(self) -> None:
        wanted = [make.line(make.priced())] * 10_001

        with pytest.raises(TooManyLines):
            make.created(make.account(), *wanted)


class TestCreateOrders:
    def test_makes_all_or_none(self) -> None:
        on, part = make.account(), make.priced()

        with pytest.raises(DraftRefused):
            create_orders(
                drafts=[make.draft(on, make.line(part)), make.draft(on)],
                actor=None,
                now=make.NOW,
            )

        assert not Order.objects.exists()

    def test_makes_the_good_ones_in_bulk_and_says_what_is_wrong_with_the_others(self) -> None:
        on, part = make.account(), make.priced()
        good = make.draft(on, make.line(part, 2))
        drafts = [good, make.draft(on), good, make.draft(on, make.line(part, "NaN"))]

        found = create_orders_bulk(drafts=drafts, actor=None, now=make.NOW)

        assert [each.order is not None for each in found] == [True, False, True, False]
        assert isinstance(found[1].refusal, NoLines)
        assert isinstance(found[3].refusal, BadQuantity)
        assert Order.objects.count() == 2

    def test_makes_the_same_of_many_as_of_each_alone(self) -> None:
        on, parts = make.account(), [make.priced(f"{n}.0{n}") for n in range(1, 6)]
        drafts = [
            make.draft(
                on,
                *(make.line(p, f"{i + 1}.125", discount=Decimal("0.075")) for p in parts),
                freight=Decimal(i),
            )
            for i in range(5)
        ]

        alone = [create_order(draft=d, actor=None, now=make.NOW).id for d in drafts]
        together = [o.id for o in create_orders(drafts=drafts, actor=None, now=make.NOW)]

        def content(ids: list[int]) -> tuple[list, list]:
            orders = Order.objects.filter(pk__in=ids).order_by("pk")
            lines = OrderLine.objects.filter(order__in=ids).order_by("order", "position")
            return (
                list(orders.values_list("subtotal", "total", "freight", "ship_to", "state")),
                list(lines.values_list("position", "product", "quantity", "unit_price", "amount")),
            )

        assert content(alone) == content(together)

    def test_costs_as_many_statements_for_many_as_for_one(
        self, django_assert_max_num_queries
    ) -> None:
        on, part = make.account(), make.priced()
        drafts = [make.draft(on, make.line(part), make.line(part)) for _ in range(50)]

        with django_assert_max_num_queries(9):  # four are savepoints
            create_orders(drafts=drafts, actor=None, now=make.NOW)

    def test_keeps_ten_thousand_lines(self) -> None:
        on, part = make.account(limit="1000000"), make.priced("1.0001")

        order = make.created(on, *[make.line(part, n % 9 + 1) for n in range(10_000)])

        assert OrderLine.objects.filter(order=order).count() == 10_000
        assert order.subtotal == sum(line.amount for line in make.lines_of(order))


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_makes_one_order_of_one_key_that_comes_many_times_at_once(self) -> None:
        asked = make.draft(make.account(), make.line(make.priced()), client_key="same")
        barrier, found = Barrier(6), []

        def ask() -> None:
            barrier.wait()
            found.append(create_order(draft=asked, actor=None, now=make.NOW))
            connection.close()

        threads = [Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len({each.id for each in found}) == 1
        assert sum(each.created for each in found) == 1
        assert Order.objects.count() == 1
        assert OrderLine.objects.count() == 1
