"""Counts bin by bin: inventory/services/counting/_binning.py and binning/_settling.py."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from erp.accounts.models import Role, User
from erp.accounts.services import assign_role
from erp.kernel.invariants import by_code, check
from finance.services import post_count
from inventory.models import Bin, BinMove, Count, CountBin, Product, Stock
from inventory.selectors import INVARIANTS, count_page
from inventory.services import Pick
from inventory.services.counting import (
    BadCount,
    Counted,
    approve_count,
    plan_count,
    record_counts,
    submit_count,
)
from orders.services import pick_shipments
from tests.finance.factories import NOW, World, allocated, product, shipments_of
from tests.inventory.factories import bin_of, lying, put

LATER = NOW + timedelta(hours=1)
Parts = list[tuple[Bin | None, str]]


@pytest.fixture
def pen(world: World) -> Product:
    return product(world, on_hand="20")


@pytest.fixture
def stock(world: World, pen: Product) -> Stock:
    """Four in a pick face, ten in reserve, six on the floor."""
    held = Stock.objects.get(product=pen)
    put(held, 4, bin_of("P-1", "pick_face", node=world.node, sequence=2))
    put(held, 10, bin_of("R-1", node=world.node, sequence=1))
    return held


def sheet(world: World) -> Count:
    return plan_count(entity_id=world.entity.pk, node_id=world.node.pk, actor=None, now=NOW)


def record(count: Count, *parts: tuple[str | None, str]) -> None:
    line = count.lines.get()
    bins = dict(Bin.objects.values_list("code", "pk"))
    said = [(code and bins[code], Decimal(quantity)) for code, quantity in parts]
    whole = sum((part for _, part in said), Decimal(0))
    found = [Counted(line.pk, whole, said)]  # type: ignore[list-item]
    record_counts(count_id=count.pk, counted=found, actor=None, at=LATER, now=LATER)


def posted(world: World, count: Count) -> None:
    if submit_count(count_id=count.pk, actor=None, now=LATER).state == "review":
        lead = User.objects.create_user("lead")
        assign_role(user=lead, entity=world.entity, role=Role.OPERATIONS_LEAD)
        approve_count(count_id=count.pk, actor=lead, now=LATER)
    post_count(count_id=count.pk, actor=None, now=LATER)


def broken() -> dict[str, int]:
    return {code: n for code, n in by_code([check(each) for each in INVARIANTS]).items() if n}


class TestCountByBin:
    def test_what_lies_elsewhere_is_moved_and_nothing_is_posted(
        self, world: World, stock: Stock
    ) -> None:
        count = sheet(world)
        record(count, ("P-1", "7"), ("R-1", "8"), (None, "5"))
        posted(world, count)
        assert lying(stock) == {"P-1": 7, "R-1": 8}
        stock.refresh_from_db()
        assert (stock.on_hand, stock.binned) == (20, 15)
        assert set(BinMove.objects.filter(kind="count").values_list("quantity", flat=True)) == {
            Decimal(2), Decimal(3),
        }  # fmt: skip
        assert not broken()

    def test_what_is_lost_leaves_the_bin_it_was_missed_in(self, world: World, stock: Stock) -> None:
        count = sheet(world)
        record(count, ("P-1", "4"), ("R-1", "9"), (None, "6"))
        count.refresh_from_db()
        submit_count(count_id=count.pk, actor=None, now=LATER)
        if Count.objects.get(pk=count.pk).state == "recount":
            record(count, ("P-1", "4"), ("R-1", "9"), (None, "6"))
        posted(world, count)
        assert lying(stock) == {"P-1": 4, "R-1": 9}
        stock.refresh_from_db()
        assert stock.on_hand == 19
        assert not broken()

    def test_what_is_found_lies_where_it_was_found(self, world: World, stock: Stock) -> None:
        count = sheet(world)
        for _ in range(2):
            record(count, ("P-1", "6"), ("R-1", "10"), (None, "6"))
            if submit_count(count_id=count.pk, actor=None, now=LATER).state != "recount":
                break
        posted(world, count)
        assert lying(stock) == {"P-1": 6, "R-1": 10}
        stock.refresh_from_db()
        assert stock.on_hand == 22
        assert not broken()

    def test_what_was_picked_meanwhile_stays_picked(
        self, world: World, pen: Product, stock: Stock
    ) -> None:
        order = allocated(world, (pen, "3", "9"))
        count = sheet(world)
        (shipment,) = shipments_of(order)
        pick_shipments(picks=[Pick(shipment_id=shipment)], actor=None, now=NOW)
        record(count, ("P-1", "1"), ("R-1", "10"), (None, "6"))
        assert {part.expected for part in CountBin.objects.all()} == {1, 10, 6}
        posted(world, count)
        assert lying(stock) == {"P-1": 1, "R-1": 10}
        assert not broken()

    def test_a_bin_that_was_not_named_was_found_empty(self, world: World, stock: Stock) -> None:
        count = sheet(world)
        record(count, ("P-1", "4"), (None, "16"))
        posted(world, count)
        assert lying(stock) == {"P-1": 4}
        assert not broken()

    def test_refuses_parts_that_are_not_the_whole_and_bins_that_do_not_suit(
        self, world: World, stock: Stock
    ) -> None:
        count = sheet(world)
        line = count.lines.get()
        cage = bin_of("Q-1", "quarantine", node=world.node)
        for parts in ([(None, 19)], [(None, 10), (None, 10)], [(cage.pk, 20)], [(None, -1)]):
            said = [(bin_id, Decimal(part)) for bin_id, part in parts]
            found = [Counted(line.pk, Decimal(20), said)]
            with pytest.raises(BadCount):
                record_counts(count_id=count.pk, counted=found, actor=None, at=LATER, now=LATER)
        assert not CountBin.objects.exists()

    def test_the_sheet_goes_the_way_of_the_bins_and_tells_no_figures(
        self, world: World, stock: Stock, client: Client
    ) -> None:
        count = sheet(world)
        page = count_page(number=count.number, entity_ids=[world.entity.pk])
        assert page is not None
        assert [(part.bin, part.counted) for part in page.lines[0].parts] == [
            ("R-1", None),
            ("P-1", None),
        ]
        lead = User.objects.create_user("counter")
        assign_role(user=lead, entity=world.entity, role=Role.OPERATIONS_LEAD)
        client.force_login(lead)
        address = f"/finance/counts/{count.number}/sheet/"
        shown = client.get(address).content.decode()
        assert shown.index("R-1") < shown.index("P-1") < shown.index("elsewhere")
        line, bins = count.lines.get(), dict(Bin.objects.values_list("code", "pk"))
        typed = {f"counted_{line.pk}_{bins['P-1']}": "9", f"counted_{line.pk}_{bins['R-1']}": "5"}
        client.post(address, typed | {f"counted_{line.pk}_0": "6"})
        assert dict(CountBin.objects.values_list("bin__code", "counted")) == {
            "P-1": 9, "R-1": 5, None: 6,
        }  # fmt: skip
