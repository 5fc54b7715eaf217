"""The checks find nothing after real work, and find each kind of damage."""

from decimal import Decimal

import pytest
from django.db import connection

from erp.kernel.invariants import by_code, check
from inventory.models import ShipmentLine
from inventory.selectors import INVARIANTS
from inventory.services import (
    IncomingLine,
    Pick,
    ShortPick,
    pick_shipments,
    receive_stock,
    release_reservations,
    ship_shipments,
)
from tests.inventory.factories import (
    KIND,
    NOW,
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


def broken() -> set[str]:
    found = by_code([check(each) for each in INVARIANTS])
    return {code.removeprefix("inventory.") for code, count in found.items() if count}


@pytest.fixture
def _a_day_of_work() -> None:
    pens = [product(f"P-{place}") for place in range(3)]
    for pen in pens:
        stocked(pen, 20, unit_value="0.3333")
    receive_stock(
        entity_id=company().pk,
        node_id=node().pk,
        source_kind="procurement.order",
        source_id=1,
        lines=[
            IncomingLine(
                source_line_id=1, product_id=pens[0].pk, quantity=Decimal(7), value=Decimal("3.33")
            )
        ],
        actor=None,
        now=NOW,
    )
    shipped = packed([demand(pen, 3, group_id=1) for pen in pens], 1)
    ship_shipments(shipment_ids=shipped, actor=None, now=NOW)
    packed([demand(pens[0], 2)], 2)
    (short,) = planned([demand(pens[1], 4)], 3)
    line = ShipmentLine.objects.get(shipment_id=short.id)
    shorts = [ShortPick(line_id=line.pk, picked=Decimal(1), reason="damaged")]
    pick_shipments(picks=[Pick(shipment_id=short.id, shorts=shorts)], actor=None, now=NOW)
    planned([demand(pens[2], 4, id=99)], 4)
    release_reservations(demand_kind=KIND, demand_ids=[99], now=NOW)
    reserved(demand(pens[2], 100))


@pytest.mark.usefixtures("_a_day_of_work")
def test_a_day_of_work_breaks_nothing() -> None:
    assert broken() == set()


DAMAGE = {
    "UPDATE inventory_stock SET on_hand = on_hand + 1 WHERE status = 'damaged'": {
        "stock_is_the_sum_of_its_moves"
    },
    "UPDATE inventory_stock SET reserved = 0": {"reserved_is_the_sum_of_open_reservations"},
    "UPDATE inventory_productcost SET value = value + 0.001": {
        "cost_is_the_sum_of_moves",
        "cost_is_whole_cents",
    },
    "UPDATE inventory_reservation SET closed_at = created_at, closed_as = 'shipped'": {
        "reserved_is_the_sum_of_open_reservations",
        "shipments_hold_what_is_reserved",
    },
    "UPDATE inventory_shipmentline SET cost = cost + 1": {"shipped_lines_have_one_move"},
    "UPDATE inventory_receiptline SET quantity = quantity + 1": {"receipt_lines_have_one_move"},
    "UPDATE inventory_allocationrun SET given = given + 1": {"runs_add_up"},
    "DELETE FROM inventory_carton": {"live_shipments_have_lines"},
}  # fmt: skip


@pytest.mark.usefixtures("_a_day_of_work")
@pytest.mark.parametrize("damage", DAMAGE)
def test_each_damage_is_found(damage: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(damage)
    assert broken() == DAMAGE[damage]
