"""orders/services/_pricing.py and _finding.py"""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import permutations
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import CreditAccount, Customer, Order, OrderLine, PriceList, Promotion
from orders.services import NoPrice, create_order, price_draft
from tests.inventory.factories import product
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
D = Decimal


def prices_of(on: CreditAccount, *lines: Any) -> list[Decimal]:
    return [line.unit_price for line in make.lines_of(make.created(on, *lines))]


def source_of(on: CreditAccount, *lines: Any) -> str:
    return make.lines_of(make.created(on, *lines))[0].price_source


class TestPrecedence:
    @pytest.mark.parametrize("gone", [[], ["contract"], ["contract", "group"]])
    def test_a_contract_beats_the_group_s_and_that_the_list(self, gone: list[str]) -> None:
        on, part = make.account(), make.priced("10")
        on.customer.group = make.group("G")
        on.customer.save()
        if "group" not in gone:
            make.listed(part, "11", group_id=on.customer.group_id)
        if "contract" not in gone:
            make.listed(part, "12", customer_id=on.customer_id)

        assert prices_of(on, make.line(part)) == [{0: 12, 1: 11, 2: 10}[len(gone)]]

    def test_the_nearest_group_counts(self) -> None:
        top = make.group("TOP")
        middle = make.group("MIDDLE", top)
        on, part = make.account(), make.priced("10")
        Customer.objects.filter(pk=on.customer_id).update(group=make.group("LEAF", middle))
        make.listed(part, "5", group_id=top.pk)
        assert prices_of(on, make.line(part)) == [5]

        make.listed(part, "7", group_id=middle.pk)

        assert prices_of(on, make.line(part)) == [7]
        assert source_of(on, make.line(part)) == "group MIDDLE, not list 10"

    def test_a_list_of_one_s_own_beats_the_group_s_and_that_the_default(self) -> None:
        on, part = make.account(), make.priced("10")
        buyers = make.group("G")
        Customer.objects.filter(pk=on.customer_id).update(group=buyers)
        for code, price, of in (("A", "8", buyers), ("B", "9", on.customer)):
            make.listed(part, price, price_list_id=make.price_list(code, of=of).pk)
        other = make.priced("3")  # in no list but the default

        assert prices_of(on, make.line(part), make.line(other)) == [9, 3]
        PriceList.objects.filter(code="B").update(is_active=False)
        assert prices_of(on, make.line(part)) == [8]
        assert prices_of(make.account(), make.line(part)) == [10]

    def test_of_two_lists_the_lower_position_is_asked_first(self) -> None:
        on, part = make.account(), make.priced("10")
        for code, price, position in (("A", "8", 2), ("B", "9", 1)):
            held = make.price_list(code, of=on.customer, position=position)
            make.listed(part, price, price_list_id=held.pk)

        assert prices_of(on, make.line(part)) == [9]

    def test_a_given_price_stands_before_all_with_its_source(self) -> None:
        on, part = make.account(), make.priced("10")
        make.listed(part, "7", customer_id=on.customer_id)
        quoted = make.line(
            part,
            unit_price=D("6.5"),
            price_source="quote QT-1 line 2",
            price_basis={"kind": "quote", "by": "phone"},
        )

        (kept,) = make.lines_of(make.created(on, quoted))

        assert (kept.unit_price, kept.price_source) == (D("6.5"), "quote QT-1 line 2")
        assert kept.price_basis == {"kind": "quote", "by": "phone"}

    def test_a_price_for_the_unit_sold_beats_one_for_any(self) -> None:
        on, part = make.account(), make.priced("10")
        part.uoms.create(code="CASE", numerator=12)
        make.listed(part, "9", uom="CASE")

        assert prices_of(on, make.line(part, 12), make.line(part, 1, uom="CASE")) == [10, 9]

    def test_prices_of_another_currency_or_company_are_not_seen(self) -> None:
        on, part = make.account(currency="EUR"), make.priced("10")

        with pytest.raises(NoPrice):
            make.created(on, make.line(part))


class TestBreaksAndDays:
    @pytest.mark.parametrize(
        ("quantity", "price"), [("9.999", 10), ("10", 9), ("10.001", 9), ("99", 9), ("100", 8)]
    )
    def test_the_deepest_break_that_is_reached_counts(self, quantity: str, price: int) -> None:
        on, part = make.account(), make.priced("10")
        make.listed(part, "8", min_quantity=D(100))
        make.listed(part, "9", min_quantity=D(10))

        assert prices_of(on, make.line(part, quantity)) == [price]

    def test_a_break_is_counted_in_base_units(self) -> None:
        on, part = make.account(), make.priced("10")
        part.uoms.create(code="CASE", numerator=12)
        make.listed(part, "9", min_quantity=D(24))

        assert prices_of(on, make.line(part, 1, uom="CASE")) == [10]
        assert prices_of(on, make.line(part, 2, uom="CASE")) == [9]

    @pytest.mark.parametrize(
        ("moment", "price"),
        [
            (datetime(2026, 7, 1, 3, 59, tzinfo=UTC), 10),  # still June in New York
            (datetime(2026, 7, 1, 4, 0, tzinfo=UTC), 5),
            (datetime(2026, 8, 1, 3, 59, tzinfo=UTC), 5),
            (datetime(2026, 8, 1, 4, 0, tzinfo=UTC), 10),
        ],
    )
    def test_a_price_holds_from_its_first_day_to_the_day_before_its_end_where_the_company_is(
        self, moment: datetime, price: int
    ) -> None:
        owner = make.company()
        owner.time_zone = "America/New_York"
        owner.save()
        on, part = make.account(), make.priced("10")
        summer = {"valid_from": date(2026, 7, 1), "valid_until": date(2026, 8, 1)}
        make.listed(part, "5", **summer)

        made = create_order(draft=make.draft(on, make.line(part)), actor=None, now=moment)

        assert OrderLine.objects.get(order_id=made.id).unit_price == price

    def test_agrees_with_a_plain_reading_of_the_rule(self) -> None:
        random = Random(7)
        on = make.account()
        for _ in range(8):
            part = product()
            rows = []
            for starts in (date(2026, 1, 1), date(2026, 5, 1), date(2026, 12, 1)):
                for least in random.sample([0, 1, 10, 50, 100], k=3):
                    price, mine = D(random.randint(1, 999)), random.random() < 0.5
                    owner = {"customer_id": on.customer_id} if mine else {}
                    make.listed(part, str(price), min_quantity=D(least), valid_from=starts, **owner)
                    rows.append((mine, least, starts, price))
            for quantity in (1, 10, 49, 50, 100, 500):
                fits = [r for r in rows if r[1] <= quantity and r[2] <= make.TODAY]
                if fits:
                    best = max(fits, key=lambda r: r[:3])
                    assert prices_of(on, make.line(part, quantity)) == [best[3]]


class TestPromotions:
    def test_narrow_to_product_category_customer_and_group(self) -> None:
        on, part = make.account(), make.priced("10", category="Gloves")
        top = make.group("TOP")
        Customer.objects.filter(pk=on.customer_id).update(group=make.group("LEAF", top))
        scopes = [
            {"product": part}, {"category": "Gloves"}, {"customer": on.customer}, {"group": top},
        ]  # fmt: skip
        misses = [
            {"product": product()},
            {"category": "Drapes"},
            {"customer": make.customer()},
            {"group": make.group("X")},
        ]
        for n, (scope, miss) in enumerate(zip(scopes, misses, strict=True)):
            hit = make.promotion(f"HIT{n}", percent=D("0.1"), **scope)
            make.promotion(f"MISS{n}", percent=D("0.2"), **miss)
            assert source_of(on, make.line(part)) == f"list 10, promotion HIT{n}"
            hit.delete()
        assert prices_of(on, make.line(part)) == [10]

    @pytest.mark.parametrize(("day", "price"), [(23, 9), (22, 10), (24, 10)])
    def test_run_from_the_first_day_to_the_day_before_the_end(self, day: int, price: int) -> None:
        on, part = make.account(), make.priced("10")
        starts, ends = date(2026, 11, day), date(2026, 11, day + 1)
        make.promotion("DAY", percent=D("0.1"), valid_from=starts, valid_until=ends)

        assert prices_of(on, make.line(part)) == [price]

    def test_stop_at_the_limit_of_the_policy(self) -> None:
        on, part = make.account(), make.priced("10")
        for n in (1, 2, 3):
            make.promotion(f"P{n}", percent=D("0.1"), stack="S")

        assert prices_of(on, make.line(part)) == [D("7.5")]

    def test_leave_contracts_and_entered_prices_alone(self) -> None:
        on, part = make.account(), make.priced("10")
        make.promotion("ALL", percent=D("0.1"))
        make.listed(part, "7", customer_id=on.customer_id)

        assert prices_of(on, make.line(part), make.line(part, unit_price=D(8))) == [7, 8]

    def test_free_goods_come_last_at_zero(self) -> None:
        on, part, gift = make.account(), make.priced("10"), product("GIFT")
        make.promotion(
            "B10G1",
            "free",
            product=part,
            buy_quantity=D(10),
            free_quantity=D(2),
            free_product=gift,
        )
        draft = make.draft(on, make.line(part, 25), make.line(make.priced("1")))

        order = Order.objects.get(pk=create_order(draft=draft, actor=None, now=make.NOW).id)

        *_, free = make.lines_of(order)
        assert (free.product, free.quantity, free.amount) == (gift, 4, 0)
        assert (free.price_source, free.price_basis["kind"]) == ("free, promotion B10G1", "free")
        assert order.total == 251

    def test_the_order_in_which_they_were_written_changes_nothing(self) -> None:
        on, part = make.account(), make.priced("9.99")
        offers = [("A", "0.07", "S"), ("B", "0.05", "S"), ("C", "0.11", "")]
        found = set()
        for written in permutations(offers):
            Promotion.objects.all().delete()
            for code, share, stack in written:
                make.promotion(code, percent=D(share), stack=stack)
            found.add(prices_of(on, make.line(part))[0])

        assert found == {D("8.7912")}


class TestOneQuery:
    def test_a_thousand_lines_are_priced_like_one(self) -> None:
        on, part = make.account(), make.priced("10")
        make.listed(part, "8", min_quantity=D(500))
        counted = []
        for lines in (1, 1_000):
            draft = make.draft(on, *[make.line(part, n + 1) for n in range(lines)])
            with CaptureQueriesContext(
                connection,
            ) as told:
                priced = price_draft(draft=draft, now=make.NOW)
            about = [q for q in told.captured_queries if "orders_price r" in q["sql"]]
            counted.append((len(told), len(about) <= 1))

        assert priced.lines == 1_000
        assert priced.subtotal == 10 * sum(range(1, 500)) + 8 * sum(range(500, 1_001))
        assert counted[1][0] <= counted[0][0]
        assert counted[1][1]
