from decimal import Decimal

import pytest

from inventory.models import ProductUom
from inventory.selectors import (
    availability,
    decisions_of_product,
    moves_of,
    other_nodes,
    product_page,
    product_search,
    products,
    receipts_of_demand,
    reservations_of,
    run_page,
    runs,
    shipments_of,
    stock_rows,
)
from tests.inventory.factories import (
    KIND,
    company,
    demand,
    node,
    packed,
    planned,
    product,
    reserved,
    stocked,
)

pytestmark = pytest.mark.django_db


class TestStockRows:
    def test_shows_only_what_the_entities_own(self) -> None:
        pen = product()
        stocked(pen, 5)
        stocked(pen, 7, entity=company("DE01", "EUR"))
        (row,) = stock_rows(entity_ids=[company().pk])
        assert (row.entity, row.on_hand, row.value, row.currency) == ("US01", 5, 10, "USD")
        assert stock_rows(entity_ids=[]) == []

    def test_narrows_and_pages_by_key(self) -> None:
        for place in range(5):
            pen = product(f"P-{place}")
            stocked(pen, 5, node=node("A"))
            stocked(pen, 5, node=node("B"))
        seen, after = [], None
        while page := stock_rows(entity_ids=[company().pk], after=after, limit=3):
            seen += [(row.product, row.node) for row in page]
            after = (page[-1].product, page[-1].id)
        assert seen == [(f"P-{place}", n) for place in range(5) for n in "AB"]
        ids = [company().pk]
        assert len(stock_rows(entity_ids=ids, node="A")) == 5
        assert len(stock_rows(entity_ids=ids, text="p-3")) == 2
        assert stock_rows(entity_ids=ids, text="%") == stock_rows(entity_ids=ids)
        assert stock_rows(entity_ids=ids, text="p_3") == []
        assert stock_rows(entity_ids=ids, status="damaged") == []

    def test_shows_what_is_free_kept_or_out(self) -> None:
        free, kept, out = product("FREE"), product("KEPT"), product("OUT")
        stocked(free, 5)
        stocked(kept, 5)
        stocked(out, 1)
        reserved(demand(kept, 2), demand(out, 1))
        ids = [company().pk]
        shown = {
            name: [row.product for row in stock_rows(entity_ids=ids, shown=name)]
            for name in ("free", "reserved", "empty")
        }
        assert shown == {"free": ["FREE", "KEPT"], "reserved": ["KEPT", "OUT"], "empty": ["OUT"]}


class TestAvailability:
    def test_is_what_nobody_reserved_at_open_nodes(self) -> None:
        pen = product()
        stocked(pen, 5, node=node("A"))
        stocked(pen, 9, node=node("B"))
        stocked(pen, 9, node=node("OLD", is_active=False))
        stocked(pen, 9, status="damaged")
        reserved(demand(pen, 6, node_id=node("B").pk))
        key = (company().pk, pen.pk)
        free = availability(keys=[key, key, (company().pk, 0)])
        assert {k: [(n.node, n.available) for n in v] for k, v in free.items()} == {
            key: [("A", 5), ("B", 3)]
        }

    def test_other_nodes(self) -> None:
        pen = product()
        stocked(pen, 5, node=node("A"))
        stocked(pen, 9, node=node("B"))
        found = other_nodes(product_id=pen.pk, entity_id=company().pk, excluding=[node("B").pk])
        assert [each.node for each in found] == ["A"]


class TestProducts:
    def test_search_finds_code_name_or_barcode(self) -> None:
        product("BOLT-8", name="Hex bolt M8", barcode="4006381333931")
        product("NUT-8", name="Nut for bolts")
        found = {text: [hit.code for hit in product_search(text=text)]
                 for text in ("bolt", "4006381333931", " ", "zzz", "a\0b")}  # fmt: skip
        assert found == {
            "bolt": ["BOLT-8", "NUT-8"],
            "4006381333931": ["BOLT-8"],
            " ": [],
            "zzz": [],
            "a\0b": [],
        }

    def test_list_sums_the_entities_own_stock(self) -> None:
        pen = product("PEN")
        product("RARE", is_blocked=True)
        stocked(pen, 5, node=node("A"))
        stocked(pen, 2, node=node("B"), status="damaged")
        stocked(pen, 9, entity=company("DE01", "EUR"))
        first, second = products(entity_ids=[company().pk])
        assert (first.code, first.on_hand, first.available, first.nodes) == ("PEN", 7, 5, 2)
        assert (second.code, second.on_hand) == ("RARE", 0)
        assert [row.code for row in products(entity_ids=[], shown="blocked")] == ["RARE"]
        assert [row.code for row in products(entity_ids=[], after="PEN")] == ["RARE"]

    def test_page_has_balances_costs_and_units(self) -> None:
        pen = product("PEN")
        ProductUom.objects.create(product=pen, code="CASE", numerator=12)
        stocked(pen, 4, unit_value="1.25")
        reserved(demand(pen, 1))
        page = product_page(code="PEN", entity_ids=[company().pk])
        assert (page.on_hand, page.reserved, page.available) == (4, 1, 3)
        assert [(cost.entity, cost.value, cost.average) for cost in page.costs] == [
            ("US01", 5, Decimal("1.25"))
        ]
        assert page.uoms[0].code == "CASE"
        assert product_page(code="NONE", entity_ids=[]) is None


def test_moves_newest_first() -> None:
    pen = product()
    stocked(pen, 5)
    stocked(pen, 3)
    newest, oldest = moves_of(product_id=pen.pk, entity_ids=[company().pk])
    assert (newest.quantity, oldest.quantity, oldest.kind) == (3, 5, "opening")
    assert moves_of(product_id=pen.pk, entity_ids=[company().pk], after=newest.id) == [oldest]
    assert moves_of(product_id=pen.pk, entity_ids=[]) == []


def test_reservations_say_for_whom_and_on_which_shipment() -> None:
    pen = product()
    stocked(pen, 5)
    (shipment,) = planned([demand(pen, 2, label="SO-1")])
    (row,) = reservations_of(product_id=pen.pk, entity_ids=[company().pk])
    assert (row.label, row.quantity, row.shipment) == ("SO-1", 2, shipment.number)


class TestReceipts:
    def test_runs_are_those_of_the_entities(self) -> None:
        pen = product()
        stocked(pen, 3)
        run = reserved(demand(pen, 2), demand(pen, 2)).run_id
        (row,) = runs(entity_ids=[company().pk])
        assert (row.id, row.lines, row.short, row.asked, row.given) == (run, 2, 1, 4, 3)
        assert runs(entity_ids=[company("DE01", "EUR").pk]) == []
        assert runs(entity_ids=[company().pk], after=run) == []

    def test_a_run_with_its_receipts(self) -> None:
        pen = product()
        stocked(pen, 3)
        run = reserved(demand(pen, 2, id=1), demand(pen, 2, id=2, priority=90)).run_id
        page = run_page(run_id=run, entity_ids=[company().pk])
        assert [(d.demand_id, d.outcome) for d in page.decisions] == [(1, "full"), (2, "partial")]
        (short,) = run_page(run_id=run, entity_ids=[company().pk], only_short=True).decisions
        assert short.candidates[0].taken == 1
        assert run_page(run_id=run, entity_ids=[]) is None
        assert run_page(run_id=run + 1, entity_ids=[company().pk]) is None

    def test_every_decision_about_a_demand(self) -> None:
        pen = product()
        reserved(demand(pen, 2, id=7))
        stocked(pen, 3)
        reserved(demand(pen, 2, id=7))
        found = receipts_of_demand(kind=KIND, ids=[7], entity_ids=[company().pk])
        assert [each.outcome for each in found] == ["full", "none"]
        assert decisions_of_product(product_id=pen.pk, entity_ids=[company().pk]) == found


def test_shipments_of_a_document() -> None:
    pen = product()
    stocked(pen, 9)
    (shipment,) = packed([demand(pen, 2)], 5)
    (row,) = shipments_of(source_kind="orders.order", source_id=5, entity_ids=[company().pk])
    assert (row.id, row.state, row.lines, row.units) == (shipment, "packed", 1, 2)
    assert shipments_of(source_kind="orders.order", source_id=5, entity_ids=[]) == []
