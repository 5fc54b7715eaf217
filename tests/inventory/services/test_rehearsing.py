"""inventory/services/_rehearsing.py: what it foresees is what `allocate` then does."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from erp.accounts.models import User
from erp.governance.models import DecisionRecord, PolicyVersion
from erp.governance.services import activate_version, write_version
from inventory.models import AllocationRun, Node, Reservation
from inventory.rules import as_steps, policy_of
from inventory.services import Basket, Demand, Wish, allocate, rehearse_allocation
from inventory.services._allocating import Allocation
from tests.inventory.factories import NOW, company, node, product, stocked

pytestmark = pytest.mark.django_db
SHAPES = {
    "plain": {},
    "complete": {"ship_complete": True},
    "one node": {"no_split": True},
    "both": {"ship_complete": True, "no_split": True},
}


def orders_of(seed: int, flags: dict[str, bool]) -> list[list[Demand]]:
    """Stock three nodes, and write six orders of up to three lines, the first in rank first."""
    chance = Random(seed)
    parts = [product(f"P-{n}") for n in range(3)]
    nodes = [node(name) for name in ("DC-A", "DC-B", "DC-C")]
    for part in parts:
        for place in nodes:
            if quantity := chance.randint(0, 8):
                stocked(part, quantity, node=place)
    ids = iter(range(1, 100))
    return [
        [
            Demand(
                kind="orders.line",
                id=next(ids),
                entity_id=company().pk,
                product_id=part.pk,
                quantity=Decimal(chance.randint(1, 7)),
                node_id=chance.choice([None, *(place.pk for place in nodes)]),
                priority=turn,
                due=date(2026, 12, 1),
                group_id=turn,
                **(flags if chance.random() < 0.6 else {}),
            )
            for part in chance.sample(parts, chance.randint(1, 3))
        ]
        for turn in range(1, 7)
    ]


def baskets_of(orders: list[list[Demand]]) -> list[Basket]:
    return [
        Basket(
            owner=lines[0].entity_id,
            wishes=[Wish(d.id, d.product_id, d.node_id, as_steps(d.quantity)) for d in lines],
            ship_complete=lines[0].ship_complete,
            no_split=lines[0].no_split,
        )
        for lines in orders
    ]


def missing_of(orders: list[list[Demand]], found: Allocation) -> list[dict[int, int]]:
    return [
        {
            d.id: as_steps(d.quantity - found.given[d.id])
            for d in lines
            if found.given[d.id] < d.quantity
        }
        for lines in orders
    ]


def nodes_of(orders: list[list[Demand]], found: Allocation) -> list[dict[int, int]]:
    served = []
    for lines in orders:
        ids = {each.id for each in lines}
        pairs = {(p.demand_id, p.node_id) for p in found.pieces if p.demand_id in ids}
        places = [place for _, place in pairs]
        served.append({place: places.count(place) for place in set(places)})
    return served


def uniform(orders: list[list[Demand]]) -> list[list[Demand]]:
    """Let the lines of an order ask for the same, as the orders of customers do."""
    return [
        [
            replace(d, ship_complete=lines[0].ship_complete, no_split=lines[0].no_split)
            for d in lines
        ]
        for lines in orders
    ]


def decided_by(**outcome: Any) -> None:
    """Let the company allocate in another way."""
    active = PolicyVersion.objects.get(policy__code="inventory.allocation", state="active")
    (row,) = active.table["rows"]
    author, boss = (User.objects.create_superuser(name) for name in ("author", "boss"))
    version = write_version(
        policy="inventory.allocation",
        entity_id=company().pk,
        table={**active.table, "rows": [{**row, "then": row["then"] | outcome}]},
        author=author,
        now=NOW,
    )
    activate_version(version_id=version.pk, actor=boss, now=NOW)


class TestRehearseAllocation:
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("seed", range(8))
    def test_foresees_what_allocate_does(self, shape: str, seed: int) -> None:
        orders = uniform(orders_of(seed, SHAPES[shape]))

        foreseen = rehearse_allocation(baskets=baskets_of(orders), now=NOW)
        assert not Reservation.objects.exists()
        assert not AllocationRun.objects.exists()
        lines = [each for order in orders for each in order]
        done = allocate(demands=lines, cause="test", policy_version="", now=NOW)

        assert [dict(each.missing) for each in foreseen] == missing_of(orders, done)
        assert [dict(each.nodes) for each in foreseen] == nodes_of(orders, done)

    def test_decides_by_the_policy_and_writes_no_decision_down(self) -> None:
        pen = product("PEN")
        stocked(pen, 3, node=node("DC-A"))
        wish = Wish(1, pen.pk, None, 5000)
        one = [Basket(company().pk, [wish])]
        assert rehearse_allocation(baskets=one, now=NOW)[0].missing == {1: 2000}

        decided_by(allow_partial=False)
        strict = policy_of({"allow_partial": False})

        assert rehearse_allocation(baskets=one, now=NOW)[0].missing == {1: 5000}
        assert rehearse_allocation(baskets=one, now=NOW, policy=strict)[0].missing == {1: 5000}
        assert not DecisionRecord.objects.exists()

    def test_of_several_companies_each_counts_on_its_own(self) -> None:
        pen, other = product("PEN"), company("DE01", "EUR")
        stocked(pen, 3)
        stocked(pen, 1, entity=other)
        baskets = [
            Basket(other.pk, [Wish(1, pen.pk, None, 2000)]),
            Basket(company().pk, []),
            Basket(company().pk, [Wish(2, pen.pk, None, 2000)]),
        ]

        found = rehearse_allocation(baskets=baskets, now=NOW)

        assert [dict(each.missing) for each in found] == [{1: 1000}, {}, {}]
        assert found[2].nodes == {Node.objects.get().pk: 1}
