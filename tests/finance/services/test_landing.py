"""Tests inventory/services/costing, finance/services/_landing.py, and stock valued by layers."""

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from rest_framework.test import APIClient

from erp.accounts.models import Role, User
from erp.accounts.services import assign_role
from erp.governance.services import activate_version, write_version
from erp.kernel.invariants import by_code, check
from erp.kernel.sql import rows, run
from finance.models import JournalEntry
from finance.selectors import INVARIANTS as MONEY
from finance.services import (
    PeriodClosed,
    adjust_stock,
    post_late_costs,
    receive_purchase_order,
    ship_shipments,
)
from inventory.models import CostLayer, LateCost, LayerIssue, Product, ProductCost
from inventory.selectors import INVARIANTS as GOODS
from inventory.services.costing import (
    BadLateCost,
    LateCostDraft,
    SpreadCost,
    UnknownMethod,
    change_costing,
)
from tests.finance import factories
from tests.finance.factories import (
    NOW,
    World,
    adjustment,
    balance,
    close_month,
    packed,
    product,
)
from tests.finance.purchases import sent_order
from tests.finance.transfers import second_node, sent


def broken() -> dict[str, int]:
    found = by_code([check(each) for each in [*GOODS, *MONEY]])
    return {code: count for code, count in found.items() if count}


def fifo(where: World, *arrivals: tuple[str, str]) -> Product:
    """Make a product that is valued first in, first out, with these (quantity, unit value)."""
    made = product(where, on_hand="0")
    ProductCost.objects.create(entity=where.entity, product=made, method="fifo")
    for quantity, unit in arrivals:
        correct(where, made, quantity, unit)
    return made


def correct(where: World, goods: Product, quantity: str, unit: str | None = None) -> Decimal:
    done = adjust_stock(
        adjustments=[adjustment(where, goods, quantity, unit)],
        kind="adjustment",
        actor=None,
        now=NOW,
    )
    return done[0].value


def received(where: World, goods: Product, quantity: str, price: str) -> int:
    """Take goods in by a purchase order; return the receipt line."""
    order = sent_order(where, (goods, quantity, price))
    line = order.lines.get().pk
    receive_purchase_order(
        order_id=order.pk, lines=[(line, Decimal(quantity))], actor=None, now=NOW
    )
    return int(rows("SELECT max(id) FROM inventory_receiptline")[0][0])


def shipped(where: World, goods: Product, quantity: str) -> Decimal:
    _, shipments = packed(where, (goods, quantity, "50"))
    done = ship_shipments(shipment_ids=shipments, actor=None, now=NOW)
    return sum((each.cost for each in done), Decimal(0))


def late(line: int, amount: str, **values: Any) -> SpreadCost:
    defaults: dict[str, Any] = {"reason": "Freight", "reference": "FB-1"}
    draft = LateCostDraft(receipt_line_id=line, amount=Decimal(amount), **defaults | values)
    return post_late_costs(drafts=[draft], actor=None, now=NOW)[0]


class TestFirstInFirstOut:
    def test_the_oldest_cost_leaves_first_with_its_shipment(self, world: World) -> None:
        goods = fifo(world, ("10", "1"), ("10", "3"))

        assert shipped(world, goods, "12") == Decimal(16)
        assert balance(world, "cost") == Decimal(16)
        assert list(
            CostLayer.objects.order_by("pk").values_list("quantity_left", "value_left")
        ) == [(0, 0), (8, 24)]
        assert broken() == {}

    def test_found_and_lost_in_one_go_take_of_what_came_just_now(self, world: World) -> None:
        goods = fifo(world)

        done = adjust_stock(
            adjustments=[
                adjustment(world, goods, "3", "1.005"), adjustment(world, goods, "-2"),
            ],
            kind="adjustment",
            actor=None,
            now=NOW,
        )  # fmt: skip

        assert [each.value for each in done] == [Decimal("3.02"), Decimal("-2.01")]
        assert CostLayer.objects.get().value_left == Decimal("1.01")
        assert broken() == {}

    def test_is_chosen_by_the_policy_when_something_first_comes(self, world: World) -> None:
        before = product(world, on_hand="5")
        version = write_version(
            policy="inventory.costing",
            entity_id=None,
            table={"rows": [{"when": [], "then": {"method": "fifo"}}]},
            author=User.objects.create_user("author"),
            now=NOW,
        )
        boss = User.objects.create_user("boss")
        activate_version(version_id=version.pk, actor=boss, now=NOW)

        after = product(world, on_hand="5", unit_value="2")
        correct(world, before, "1", "9")

        assert ProductCost.objects.get(product=after).method == "fifo"
        assert CostLayer.objects.get().value_left == Decimal(10)
        assert ProductCost.objects.get(product=before).method == "average"
        assert broken() == {}

    def test_goods_that_change_places_keep_their_layers(self, world: World) -> None:
        goods = fifo(world, ("10", "1"), ("10", "3"))

        sent(world, (goods, "15"), to=second_node(world))

        assert not LayerIssue.objects.exists()
        assert CostLayer.objects.count() == 2
        assert broken() == {}

    def test_goods_that_change_owners_leave_by_layers(self, world: World) -> None:
        sister = factories.world("US02", "USD")
        goods = fifo(world, ("10", "1"), ("10", "3"))

        sent(world, (goods, "12"), to=sister.node, buyer=sister.entity)

        assert balance(world, "group_cost") == Decimal(16)
        assert ProductCost.objects.get(entity=sister.entity).value == Decimal("16.80")
        assert broken() == {}

    def test_cannot_be_worth_something_else_than_its_layers(self, world: World) -> None:
        goods = fifo(world, ("10", "1"))

        with pytest.raises(IntegrityError), transaction.atomic():
            run(
                "UPDATE inventory_productcost SET value = value + 1 WHERE product_id = %s",
                [goods.pk],
            )
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

        assert broken() == {}

    @pytest.mark.parametrize("seed", range(4))
    def test_stays_equal_to_its_layers_and_the_ledger_whatever_happens(
        self, world: World, seed: int
    ) -> None:
        random = Random(seed)
        goods = fifo(world, ("40", "2.37")) if seed % 2 else product(world, on_hand="40")
        lines: list[int] = []
        for turn in range(12):
            owned = ProductCost.objects.get(product=goods).quantity
            step = random.choice(["in", "in", "ship", "lose", "late", "method"])
            if step == "in":
                price = f"{random.randint(1, 999) / 100}"
                lines.append(received(world, goods, str(random.randint(1, 30)), price))
            elif step == "ship" and owned >= 2:
                shipped(world, goods, str(random.randint(1, int(owned) - 1)))
            elif step == "lose" and owned >= 2:
                correct(world, goods, f"-{random.randint(1, int(owned) - 1)}")
            elif step == "late" and lines:
                amount = f"{random.randint(-2_000, 2_000) / 100 or 1}"
                late(random.choice(lines), amount, reference=f"FB-{turn}")
            elif step == "method":
                change_costing(
                    entity_id=world.entity.pk,
                    product_ids=[goods.pk],
                    method=random.choice(["fifo", "average"]),
                    actor=None,
                    now=NOW,
                )
            assert broken() == {}, (turn, step)


class TestPostLateCosts:
    def test_raises_what_is_there_and_charges_what_is_gone(self, world: World) -> None:
        goods = fifo(world)
        line = received(world, goods, "10", "2")
        shipped(world, goods, "4")
        correct(world, goods, "-1")

        done = late(line, "10.01")

        assert (done.on_hand, done.sold, done.adjusted) == (
            Decimal("5.01"), Decimal("4.00"), Decimal("1.00"),
        )  # fmt: skip
        assert ProductCost.objects.get(product=goods).value == Decimal("15.01")
        assert balance(world, "landed") == Decimal("-10.01")
        assert broken() == {}

    def test_by_average_what_came_last_is_what_is_there(self, world: World) -> None:
        goods = product(world, on_hand="0")
        line = received(world, goods, "10", "2")
        shipped(world, goods, "7")

        done = late(line, "10")

        assert (done.on_hand, done.sold) == (Decimal(3), Decimal(7))
        assert ProductCost.objects.get(product=goods).value == Decimal(9)
        assert broken() == {}

    def test_is_posted_once(self, world: World) -> None:
        line = received(world, product(world, on_hand="0"), "10", "2")

        first, again = late(line, "10"), late(line, "10")

        assert (first.is_new, again.is_new) == (True, False)
        assert again.late_cost_id == first.late_cost_id
        assert JournalEntry.objects.filter(cause_kind="inventory.latecost").count() == 1
        assert broken() == {}

    def test_a_credit_leaves_nothing_worth_less_than_nothing(self, world: World) -> None:
        goods = product(world, on_hand="0")
        line = received(world, goods, "10", "2")
        shipped(world, goods, "5")

        done = late(line, "-30")

        assert (done.on_hand, done.sold) == (Decimal(-10), Decimal(-20))
        assert ProductCost.objects.get(product=goods).value == 0
        assert broken() == {}

    @pytest.mark.parametrize(
        "values",
        [{"amount": "0"}, {"amount": "0.001"}, {"reason": " "}, {"reference": ""}, {"line": 10**9}],
    )
    def test_refuses_what_makes_no_sense(self, world: World, values: dict[str, Any]) -> None:
        line = received(world, product(world, on_hand="0"), "10", "2")
        asked = {"line": line, "amount": "5"} | values

        with pytest.raises(BadLateCost), transaction.atomic():
            late(**asked)

        assert not LateCost.objects.exists()
        assert broken() == {}

    def test_refuses_a_closed_month_and_leaves_nothing_behind(self, world: World) -> None:
        line = received(world, product(world, on_hand="0"), "10", "2")
        close_month("2026-11-01")

        with pytest.raises(PeriodClosed), transaction.atomic():
            late(line, "5")

        assert not LateCost.objects.exists()


class TestResource:
    def test_posts_and_answers_the_same_once_more(self, world: World) -> None:
        line = received(world, product(world, on_hand="0"), "10", "2")
        number = rows("SELECT number FROM inventory_receipt")[0][0]
        person = User.objects.create_user("ap")
        assign_role(user=person, entity=world.entity, role=Role.AP)
        api = APIClient()
        api.force_authenticate(person)
        body = {
            "receipt": number, "line": line, "amount": "7.50", "reason": "Freight",
            "reference": "FB-9",
        }  # fmt: skip

        first = api.post("/api/v1/late-costs/", body, format="json")
        again = api.post("/api/v1/late-costs/", body, format="json")
        unknown = api.post("/api/v1/late-costs/", body | {"line": line + 1}, format="json")

        assert (first.status_code, again.status_code, unknown.status_code) == (201, 200, 400)
        assert first.json()["on_hand"] == "7.50"
        assert api.get("/api/v1/late-costs/").json()["results"][0]["reference"] == "FB-9"
        assert broken() == {}


class TestChangeCosting:
    def test_keeps_the_worth_to_the_cent_there_and_back(self, world: World) -> None:
        goods = product(world, on_hand="7", unit_value="1.43")

        def to(method: str) -> list[int]:
            return change_costing(
                entity_id=world.entity.pk,
                product_ids=[goods.pk],
                method=method,
                actor=None,
                now=NOW + timedelta(hours=1),
            )

        assert (to("fifo"), to("fifo")) == ([goods.pk], [])
        assert CostLayer.objects.get().value_left == Decimal("10.01")
        assert broken() == {}
        correct(world, goods, "3", "9")
        assert to("average") == [goods.pk]
        assert ProductCost.objects.get(product=goods).value == Decimal("37.01")
        assert broken() == {}

    def test_knows_two_ways(self, world: World) -> None:
        with pytest.raises(UnknownMethod):
            change_costing(
                entity_id=world.entity.pk, product_ids=[], method="lifo", actor=None, now=NOW
            )
