"""orders/selectors."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from erp.kernel.invariants import check
from orders.models import Order
from orders.selectors import (
    INVARIANTS,
    BoardFilters,
    backlog,
    board_totals,
    customer_list,
    customer_page,
    customer_search,
    exposure,
    last_runs,
    order_board,
    order_page,
    product_ids,
    product_search,
    receipts_of,
    stages,
    waiting_lines,
)
from orders.services import BilledAccount, InvoicedLine, cancel_order, record_invoiced
from orders.services.quoting import QuoteDraft, write_quote
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def world() -> dict[str, Order]:
    """Make an order in each state that orders alone can reach."""
    on = make.account(limit="100000")
    there, rare = make.priced("10.3333"), make.priced("2")
    make.stocked(there, 100)
    make.stocked(rare, 1)
    orders = {
        "draft": make.created(on, make.line(there)),
        "held": make.submitted(make.account(limit="1"), make.line(there)),
        "released": make.submitted(on, make.line(there, 3), freight=Decimal("1.11")),
        "allocated": make.allocated(on, make.line(there, 3), freight=Decimal("1.11")),
        "partly_allocated": make.allocated(on, make.line(rare, 2)),
        "backordered": make.allocated(on, make.line(rare, 2)),
        "fulfilling": make.picked(on, make.line(there, 3)),
    }
    orders["partly_shipped"] = make.picked(on, make.line(there, 3), make.line(rare, 1))
    make.left(orders["partly_shipped"])
    orders["shipped"] = make.picked(on, make.line(there, 3), freight=Decimal(4))
    make.left(orders["shipped"])
    orders["invoiced"] = make.picked(on, make.line(there, 3), freight=Decimal(4))
    make.left(orders["invoiced"])
    (line,) = make.lines_of(orders["invoiced"])
    record_invoiced(
        lines=[InvoicedLine(line.pk, Decimal(3))],
        amounts=[BilledAccount(on.pk, Decimal("31.00"), Decimal("35.00"))],
        now=make.NOW,
    )
    orders["cancelled"] = make.allocated(on, make.line(there, 3))
    cancel_order(order_id=orders["cancelled"].pk, actor=None, reason="x", now=make.NOW)
    offer = QuoteDraft(make.draft(on, make.line(there, 3)), make.TODAY)
    write_quote(draft=offer, actor=None, now=make.NOW)
    return {name: Order.objects.get(pk=order.pk) for name, order in orders.items()}


BREAKS = {
    "orders.reserved": "UPDATE orders_orderline SET reserved = reserved - 1 WHERE reserved = 3",
    "orders.shipped": "UPDATE orders_orderline SET shipped = 2, invoiced = 0 WHERE shipped = 3",
    "orders.amounts": "UPDATE orders_orderline SET amount = amount + 0.0001",
    "orders.totals": "UPDATE orders_order SET total = total + 0.01",
    "orders.committed": "UPDATE orders_creditaccount SET committed = committed + 0.0001",
    "orders.unbilled": "UPDATE orders_creditaccount SET unbilled = unbilled + 0.01",
    "orders.states": "UPDATE orders_order SET state = 'allocated' WHERE state = 'backordered'",
    "orders.kits": """
        INSERT INTO orders_kitline (order_id, product_id, quantity, cancelled, unit_price,
            price_source, price_basis, discount, amount)
        SELECT order_id, product_id, 1, 0, 5, '', '{}', 0, 5 FROM orders_orderline LIMIT 1""",
    "orders.agreed": "UPDATE orders_quoteline SET ordered = 1",
    "orders.holds": "UPDATE orders_hold SET state = 'lifted', lifted_at = now()",
    "orders.pegs_stand_on_what_waits": """
        DELETE FROM outbox_delivery;
        WITH coming AS (
            INSERT INTO inventory_inbound
                (entity_id, product_id, node_id, source_kind, source_id, quantity, expected_date)
            SELECT o.entity_id, l.product_id, s.node_id, 'test', 1, 999, now()
            FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
            CROSS JOIN (SELECT node_id FROM inventory_stock LIMIT 1) s LIMIT 1
            RETURNING id
        )
        INSERT INTO inventory_peg (inbound_id, demand_kind, demand_id, quantity, pegged_at)
        SELECT coming.id, 'orders.line', (SELECT min(id) FROM orders_orderline), 999, now()
        FROM coming""",
    "orders.ledger_ends_with_the_promise": """
        INSERT INTO orders_promisechange (line_id, at, requested_date, promised_date, cause,
            supplies)
        SELECT id, now(), now(), '2031-01-01', 'test', '[]' FROM orders_orderline LIMIT 1""",
}


class TestInvariants:
    def test_hold_of_orders_in_every_state(self) -> None:
        orders = world()

        assert {name: order.state for name, order in orders.items()} == {n: n for n in orders}
        for invariant in INVARIANTS:
            found = check(invariant)
            assert not found.violations, (found.code, found.sample)

    def test_have_each_a_break_that_they_notice(self) -> None:
        world()
        assert BREAKS.keys() == {invariant.code for invariant in INVARIANTS}

        for invariant in INVARIANTS:
            with connection.cursor() as cursor:
                cursor.execute("SAVEPOINT sound")
                cursor.execute(BREAKS[invariant.code])
                assert check(invariant).violations, invariant.code
                cursor.execute("ROLLBACK TO SAVEPOINT sound")


class TestOrderBoard:
    def test_pages_without_gaps_or_repetitions_in_every_order(self) -> None:
        world()
        scope = {"entity_ids": [make.company().pk]}
        for sort in ("-number", "number", "requested", "-requested", "total", "-total"):
            filters, seen, after = BoardFilters(sort=sort), [], ""
            while True:
                page = order_board(**scope, filters=filters, after=after, limit=3)
                seen += [row.number for row in page.rows]
                after = page.after
                if not after:
                    break
            whole = order_board(**scope, filters=filters, limit=100).rows
            assert seen == [row.number for row in whole]
            assert len(set(seen)) == Order.objects.count()

    def test_narrows_by_stage_customer_author_text_and_lateness(self, clerk) -> None:
        orders = world()
        mine = make.created(
            make.account(make.customer("ZETA", name="Zeta Ltd")),
            make.line(make.priced()),
            actor=clerk,
            customer_po="PO 77",
        )

        def numbers(**values: object) -> set[str]:
            page = order_board(entity_ids=[make.company().pk], filters=BoardFilters(**values))
            return {row.number for row in page.rows}

        assert numbers(stage="held") == {orders["held"].number}
        assert numbers(stage="waiting") == {
            orders[n].number for n in ("released", "partly_allocated", "backordered")
        }
        assert orders["cancelled"].number not in numbers(stage="open")
        assert numbers(customer="ZETA") == numbers(author_id=clerk.pk) == {mine.number}
        assert numbers(text="zeta") == numbers(text="PO 77") == {mine.number}
        assert numbers(text=mine.number.removeprefix("SO-")) == {mine.number}
        assert numbers(text="100%\0'") == set()
        late = numbers(late_on=make.TODAY + timedelta(days=60))
        assert orders["backordered"].number in late
        assert not late & {orders["shipped"].number, orders["draft"].number}

    def test_shows_nothing_of_other_entities_and_no_bad_cursor(self) -> None:
        world()
        other = make.company("US02")

        assert not order_board(entity_ids=[other.pk], filters=BoardFilters()).rows
        for bad in ("x", "[]", "[1, 2]", '["a"]', "{}", "null"):
            page = order_board(
                entity_ids=[make.company().pk], filters=BoardFilters(), after=bad, limit=2
            )
            assert len(page.rows) == 2

    def test_sums_up(self) -> None:
        world()

        totals = board_totals(entity_ids=[make.company().pk], filters=BoardFilters())

        assert (totals.count, totals.is_more) == (Order.objects.count(), False)
        assert totals.amounts["USD"] == sum(order.total for order in Order.objects.all())

    def test_takes_one_query(self, django_assert_num_queries) -> None:
        world()
        here = [make.company().pk]

        with django_assert_num_queries(1):
            order_board(entity_ids=here, filters=BoardFilters(stage="open"))


class TestOrderPage:
    def test_shows_the_order_with_lines_holds_and_receipts(self) -> None:
        orders = world()
        scope = [make.company().pk]

        page = order_page(number=orders["partly_allocated"].number, entity_ids=scope)
        held = order_page(number=orders["held"].number, entity_ids=scope)

        assert (page.lines[0].ordered, page.lines[0].secured, page.waiting) == (2, 1, 1)
        assert page.lines[0].places == "DC-A"
        assert [hold.kind for hold in held.active_holds] == ["credit"]
        (receipt,) = receipts_of(order_id=page.id)
        assert (receipt.asked, receipt.given, receipt.outcome) == (2, 1, "partial")
        assert receipt.candidates[0].node == "DC-A"

    def test_shows_nothing_of_other_entities(self) -> None:
        number = make.created(make.account(), make.line(make.priced())).number

        assert order_page(number=number, entity_ids=[make.company("US02").pk]) is None
        assert order_page(number="SO-0", entity_ids=[make.company().pk]) is None
        assert order_page(number="a\0b", entity_ids=[make.company().pk]) is None


class TestFigures:
    def test_count_stages_backlog_waiting_lines_and_runs(self) -> None:
        world()
        scope = {"entity_ids": [make.company().pk]}

        by_state = {stage.state: stage.count for stage in stages(**scope)}
        (late,) = backlog(**scope, on=date(2027, 6, 1))
        waiting = waiting_lines(**scope)

        assert by_state["backordered"] == 1
        assert (late.orders, late.currency) == (6, "USD")
        assert {line.state for line in waiting} == {
            "released",
            "partly_allocated",
            "backordered",
            "partly_shipped",
        }
        assert not backlog(**scope, on=date(2026, 1, 1))
        assert last_runs(**scope)[0].asked > 0
        assert not last_runs(entity_ids=[make.company("US02").pk])


class TestCustomers:
    def test_are_found_listed_and_shown_where_they_are_served(self) -> None:
        on = make.account(make.customer("ACME", name="Acme & Söhne"), receivable=Decimal(40))
        make.account(make.customer("BOLT", name="Bolt"), on_hold=True)
        here, there = [make.company().pk], [make.company("US02").pk]

        (hit,) = customer_search(entity_ids=here, text="söhne")
        rows, after = customer_list(entity_ids=here, limit=1)
        rest, end = customer_list(entity_ids=here, limit=1, after=after)
        page = customer_page(code="ACME", entity_ids=here)

        assert (hit.code, hit.currency) == ("ACME", "USD")
        assert [rows[0].code, rest[0].code, end] == ["ACME", "BOLT", ""]
        assert [row.code for row in customer_list(entity_ids=here, stopped=True)[0]] == ["BOLT"]
        assert page.accounts[0].exposure.exposure == 40
        assert exposure(account_id=on.pk).available == on.credit_limit - 40
        assert not customer_search(entity_ids=there, text="acme")
        assert customer_page(code="ACME", entity_ids=there) is None


class TestEntry:
    def test_finds_products_with_stock_and_the_customers_price(self) -> None:
        on, part = make.account(), make.priced("10", "HX-110")
        make.listed(part, "8", customer_id=on.customer_id)
        make.stocked(part, 7)
        asked = {
            "entity_id": on.entity_id,
            "customer_id": on.customer_id,
            "currency": "USD",
            "on": make.TODAY,
        }

        (hit,) = product_search(text="hx-", **asked)

        assert (hit.code, hit.available, hit.unit_price, hit.price_source) == (
            "HX-110",
            7,
            8,
            "contract",
        )
        assert product_search(text="  ", **asked) == []
        assert product_ids(codes=["hx-110", "nope", "a\0"]) == {"HX-110": part.pk}
