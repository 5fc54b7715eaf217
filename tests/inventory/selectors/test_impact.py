"""inventory/selectors/_impact.py"""

from datetime import date
from decimal import Decimal

import pytest

from inventory.models import Inbound, Peg, Product, Stock
from inventory.selectors import blast_radius, pegs_of, reached_demand, supplies_at, supplies_of
from inventory.services import ExpectedGoods, expect_goods
from orders.services.promising import promise_orders
from tests.inventory.factories import company, node
from tests.orders.factories import (
    NOW,
    account,
    allocated,
    customer,
    line,
    lines_of,
    priced,
    stocked,
)

pytestmark = pytest.mark.django_db
PO, TRANSFER, ORDER = "procurement.line", "inventory.transferline", "orders.line"
TUESDAY = date(2026, 12, 1)


def coming(of: Product, quantity: int, source: int = 1, kind: str = PO, at: str = "DC-A") -> None:
    goods = ExpectedGoods(
        source_id=source, entity_id=company().pk, node_id=node(at).pk, product_id=of.pk,
        quantity=Decimal(quantity), expected_date=TUESDAY, label=f"PO-{source}",
    )  # fmt: skip
    expect_goods(kind=kind, goods=[goods])


def pegged(source: int, kind: str, demand_kind: str, demand: int, quantity: int) -> None:
    inbound = Inbound.objects.get(source_id=source, source_kind=kind)
    Peg.objects.create(
        inbound=inbound, demand_kind=demand_kind, demand_id=demand, quantity=quantity,
        pegged_at=NOW,
    )  # fmt: skip


class TestBlastRadius:
    def test_who_depends_on_a_purchase_with_money_and_who_would_be_late(self) -> None:
        pen = priced("10")
        coming(pen, 50)
        soon = allocated(account(customer("SOON")), line(pen, 20), requested_date=date(2026, 12, 3))
        far = allocated(account(customer("FAR")), line(pen, 5), requested_date=date(2026, 12, 20))
        promise_orders(order_ids=[soon.pk, far.pk], cause="x", now=NOW)

        found = blast_radius(supplies=[(PO, 1)], days=5)
        assert (found.documents, found.lines, found.parties) == (2, 2, 2)
        assert found.values == {"USD": Decimal("250.00")}
        assert (found.late_documents, found.late_values) == (1, {"USD": Decimal("200.00")})
        assert [(hit.label, hit.is_late) for hit in found.demands] == [
            (soon.number, True), (far.number, False),
        ]  # fmt: skip
        assert blast_radius(supplies=[(PO, 1)], days=0).late_documents == 0
        assert blast_radius(supplies=[(PO, 2)]).lines == 0
        (first, second) = pegs_of(kind=PO, source_ids=[1])
        assert {first.document, second.document} == {soon.number, far.number}

    def test_goes_over_transfers_and_ends_in_a_ring(self) -> None:
        pen = priced("10")
        order = allocated(account(), line(pen, 20), requested_date=TUESDAY)
        (waits,) = lines_of(order)
        coming(pen, 50)
        coming(pen, 30, 7, TRANSFER, "B")
        coming(pen, 30, 8, TRANSFER, "C")
        pegged(1, PO, TRANSFER, 7, 30)
        pegged(7, TRANSFER, TRANSFER, 8, 30)
        pegged(8, TRANSFER, TRANSFER, 7, 5)
        pegged(8, TRANSFER, ORDER, waits.pk, 20)

        found = reached_demand(supplies=[(PO, 1)])
        assert {kind: sorted(ids) for kind, ids in found.items()} == {
            TRANSFER: [7, 8], ORDER: [waits.pk],
        }  # fmt: skip
        assert [hit.id for hit in blast_radius(supplies=[(PO, 1)]).demands] == [waits.pk]
        back = supplies_of(kind=ORDER, demand_id=waits.pk)
        assert {(row.kind, row.id) for row in back} == {(PO, 1), (TRANSFER, 7), (TRANSFER, 8)}

    def test_what_is_reserved_depends_on_its_shelf_and_its_node(self) -> None:
        pen = priced("10")
        stocked(pen, 20)
        order = allocated(account(), line(pen, 20))
        shelf = Stock.objects.get(product=pen)
        (kept,) = lines_of(order)

        found = blast_radius(supplies=[("inventory.stock", shelf.pk)], days=9)
        assert [(hit.id, hit.quantity) for hit in found.demands] == [(kept.pk, 20)]
        assert found.late_documents == 0
        at = supplies_at(node_id=node().pk, entity_ids=[company().pk])
        assert at == [("inventory.stock", shelf.pk)]
        assert supplies_at(node_id=node().pk, entity_ids=[]) == []
