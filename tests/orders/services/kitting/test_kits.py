"""orders/services/kitting and _exploding: kits from their making to their invoice's lines."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp.kernel.invariants import check
from inventory.models import Product, Shipment, Stock
from inventory.selectors import INVARIANTS as STOCK_INVARIANTS
from inventory.services import Pick, ShortPick
from orders.models import CreditAccount, KitLine, Order
from orders.rules.kits import spread
from orders.selectors import INVARIANTS
from orders.services import (
    Amendment,
    BadQuantity,
    BadReference,
    LineCancel,
    LineChange,
    WholeKitsOnly,
    allocate_orders,
    allocate_waiting,
    amend_order,
    cancel_lines,
    cancel_order,
    pick_shipments,
)
from orders.services.kitting import KitPart, KitRefused, NestedKit, save_kit
from tests.orders import factories as make


def kit(price: str = "10", **parts: tuple[str, str]) -> tuple[Product, list[Product]]:
    """Make a kit at a price, of parts given as quantity and list price."""
    components = [make.priced(listed, code) for code, (_, listed) in parts.items()]
    made = make.priced(price)
    save_kit(
        product_id=made.pk,
        parts=[
            KitPart(component.pk, Decimal(quantity))
            for component, (quantity, _) in zip(components, parts.values(), strict=True)
        ],
        actor=None,
        now=make.NOW,
    )
    return made, components


def sound() -> bool:
    return not [
        seen.code for seen in map(check, (*INVARIANTS, *STOCK_INVARIANTS)) if seen.violations
    ]


@given(
    st.decimals(0, 10**9, places=4),
    st.lists(st.decimals(0, 10**6, places=4), min_size=1, max_size=20),
)
def test_spread_sums_exactly_and_no_part_is_a_step_off_its_share(amount, weights) -> None:
    parts = spread(amount, weights)

    assert sum(parts) == amount
    assert all(part >= 0 for part in parts)
    whole = sum(weights)
    if whole:
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part - amount * weight / whole) < Decimal("0.0001")


@pytest.mark.django_db
class TestSaving:
    def test_no_kit_in_a_kit_either_way_round(self) -> None:
        outer, (inner, _) = kit(a=("1", "1"), b=("2", "1"))
        other = make.priced()

        with pytest.raises(NestedKit):  # a part that is a kit
            save_kit(
                product_id=other.pk,
                parts=[KitPart(outer.pk, Decimal(1))],
                actor=None,
                now=make.NOW,
            )
        with pytest.raises(NestedKit):  # a kit that is a part
            save_kit(
                product_id=inner.pk,
                parts=[KitPart(other.pk, Decimal(1))],
                actor=None,
                now=make.NOW,
            )

    @pytest.mark.parametrize("quantities", [[], ["0"], ["-1"], ["0.0001"], ["1"] * 51])
    def test_refuses_what_makes_no_kit(self, quantities) -> None:
        parts = [KitPart(make.product().pk, Decimal(each)) for each in quantities]

        with pytest.raises(KitRefused):
            save_kit(product_id=make.product().pk, parts=parts, actor=None, now=make.NOW)


@pytest.mark.django_db
class TestOrdering:
    def test_explodes_and_spreads_its_price_exactly(self) -> None:
        made, (one, two) = kit("10", a=("3", "1"), b=("1", "4"))

        order = make.created(make.account(), make.line(made, 7), make.line(one, 1))

        asked = KitLine.objects.get()
        first, second, plain = make.lines_of(order)
        assert (asked.quantity, asked.amount, asked.unit_price) == (7, 70, 10)
        assert [(x.product, x.quantity, x.per_kit) for x in (first, second)] == [
            (one, 21, 3),
            (two, 7, 1),
        ]
        assert (first.amount, second.amount) == (30, 40)  # as 3 x 1 is to 1 x 4
        assert (plain.kit_id, order.subtotal, order.total) == (None, 71, 71)
        assert sound()

    def test_what_does_not_divide_goes_to_the_largest_remainder(self) -> None:
        made, _ = kit("10", a=("1", "1"), b=("1", "1"), c=("1", "1"))

        order = make.created(make.account(), make.line(made, 1))

        amounts = [line.amount for line in make.lines_of(order)]
        assert amounts == [Decimal("3.3334"), Decimal("3.3333"), Decimal("3.3333")]
        assert (order.total, sound()) == (10, True)

    def test_only_whole_kits_and_none_with_a_blocked_part(self) -> None:
        made, (one, _) = kit(a=("3", "1"), b=("1", "4"))
        with pytest.raises(BadQuantity):
            make.created(make.account(), make.line(made, "1.5"))

        Product.objects.filter(pk=one.pk).update(is_blocked=True)
        with pytest.raises(Exception, match="blocked"):
            make.created(make.account(), make.line(made, 1))

    def test_commits_the_kit_s_price_once(self) -> None:
        made, _ = kit("10", a=("3", "1"), b=("1", "4"))
        on = make.account(limit="70")

        order = make.submitted(on, make.line(made, 7))

        assert order.state == "released"
        assert CreditAccount.objects.get(pk=on.pk).committed == 70


@pytest.mark.django_db
class TestFlow:
    def test_is_kept_all_or_nothing_and_from_one_node(self) -> None:
        made, (one, two) = kit(a=("3", "1"), b=("1", "4"))
        near, far = make.node("NEAR"), make.node("FAR")
        make.stocked(one, 6, node=near)
        make.stocked(two, 9, node=far)
        order = make.allocated(make.account(), make.line(made, 2))
        assert (order.state, Shipment.objects.count()) == ("backordered", 0)

        make.stocked(two, 2, node=near)
        allocate_waiting(
            entity_id=order.entity_id, product_ids=[two.pk], cause="test", now=make.NOW
        )

        order = Order.objects.get(pk=order.pk)
        assert order.state == "allocated"
        assert Shipment.objects.get().node_id == near.pk
        assert sound()

    def test_a_kit_short_holds_up_no_other_line(self) -> None:
        made, (one, _) = kit(a=("1", "1"), b=("1", "4"))
        make.stocked(one, 9)

        order = make.allocated(make.account(), make.line(made, 2), make.line(one, 3))

        assert [line.reserved for line in make.lines_of(order)] == [0, 0, 3]
        assert (order.state, sound()) == ("partly_allocated", True)

    def test_leaves_and_is_charged_to_the_cent(self) -> None:
        made, (one, two) = kit("9.99", a=("3", "1"), b=("1", "4"))
        make.stocked(one, 9)
        make.stocked(two, 9)
        on = make.account()
        order = make.picked(on, make.line(made, 3))

        _, amounts = make.left(order)

        on.refresh_from_db()
        assert sum(each.amount for each in amounts) == Decimal("29.97")
        assert (on.committed, on.unbilled) == (0, Decimal("29.97"))
        assert Order.objects.get(pk=order.pk).state == "shipped"
        assert sound()

    def test_a_short_pick_is_of_whole_kits(self) -> None:
        made, (one, two) = kit(a=("2", "1"), b=("1", "4"))
        make.stocked(one, 4)
        make.stocked(two, 2)
        make.allocated(make.account(), make.line(made, 2))
        shipment = Shipment.objects.get()
        first, second = shipment.lines.order_by("demand_id")

        def pick(*shorts: ShortPick) -> None:
            picks = [Pick(shipment_id=shipment.pk, shorts=shorts)]
            pick_shipments(picks=picks, actor=None, now=make.NOW)

        with pytest.raises(WholeKitsOnly):
            pick(ShortPick(line_id=first.pk, picked=Decimal(2), reason="not_found"))
        assert Shipment.objects.get().state == "planned"

        pick(
            ShortPick(line_id=first.pk, picked=Decimal(2), reason="not_found"),
            ShortPick(line_id=second.pk, picked=Decimal(1), reason="not_found"),
        )
        assert sound()


@pytest.mark.django_db
class TestChanging:
    def test_cancels_whole_kits_only(self) -> None:
        made, (one, two) = kit("10", a=("3", "1"), b=("1", "4"))
        make.stocked(one, 30)
        make.stocked(two, 10)
        on = make.account()
        order = make.allocated(on, make.line(made, 4))
        first, second = make.lines_of(order)

        def cancel(*wishes: LineCancel) -> None:
            cancel_lines(order_id=order.pk, lines=wishes, actor=None, reason="x", now=make.NOW)

        for wrong in (
            [LineCancel(first.pk, Decimal(3))],
            [LineCancel(first.pk, Decimal(2)), LineCancel(second.pk, Decimal(1))],
        ):
            with pytest.raises(WholeKitsOnly):
                cancel(*wrong)
        cancel(LineCancel(first.pk, Decimal(3)), LineCancel(second.pk, Decimal(1)))

        assert KitLine.objects.get().cancelled == 1
        assert [line.reserved for line in make.lines_of(order)] == [9, 3]
        assert abs(CreditAccount.objects.get(pk=on.pk).committed - 30) <= Decimal("0.0002")
        assert sound()

    def test_cancelling_the_order_gives_everything_back(self) -> None:
        made, (one, two) = kit(a=("3", "1"), b=("1", "4"))
        make.stocked(one, 30)
        make.stocked(two, 10)
        on = make.account()
        order = make.allocated(on, make.line(made, 4))

        cancel_order(order_id=order.pk, actor=None, reason="x", now=make.NOW)

        assert KitLine.objects.get().cancelled == 4
        assert not Stock.objects.exclude(reserved=0).exists()
        assert CreditAccount.objects.get(pk=on.pk).committed == 0
        assert sound()

    def test_a_kit_is_added_and_its_parts_are_not_changed_alone(self) -> None:
        made, (one, two) = kit("10", a=("3", "1"), b=("1", "4"))
        make.stocked(one, 30)
        make.stocked(two, 10)
        order = make.allocated(make.account(), make.line(one, 1))

        def amend(*lines: object) -> None:
            amendment = Amendment(lines=lines)  # type: ignore[arg-type]
            amend_order(order_id=order.pk, amendment=amendment, actor=None, now=make.NOW)

        amend(make.line(made, 2))
        _, first, second = make.lines_of(order)
        assert (first.kit_id, first.reserved, second.reserved) == (KitLine.objects.get().pk, 6, 2)
        with pytest.raises(BadReference):
            amend(LineChange(first.pk, quantity=Decimal(9)))

        assert Order.objects.get(pk=order.pk).state == "allocated"
        assert sound()

    def test_what_it_is_made_of_later_changes_no_order(self) -> None:
        made, (one, _) = kit(a=("3", "1"), b=("1", "4"))
        order = make.submitted(make.account(), make.line(made, 2))

        save_kit(product_id=made.pk, parts=[KitPart(one.pk, Decimal(1))], actor=None, now=make.NOW)
        allocate_orders(order_ids=[order.pk], cause="test", now=make.NOW)

        assert [line.quantity for line in make.lines_of(order)] == [6, 2]
        assert sound()
