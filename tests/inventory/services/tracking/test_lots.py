"""Tests inventory/services/tracking."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from erp.governance.models import AuditEntry
from erp.outbox.models import Message
from inventory.models import Lot, Product, Reservation, ShipmentLine, Stock, StockMove
from inventory.selectors import lot_traces
from inventory.services import LotStopped, Pick, ShipmentNotReady, pick_shipments, ship_shipments
from inventory.services.tracking import (
    BadLot,
    LotDraft,
    LotSwap,
    NoSuchLot,
    block_lot,
    look_at_expiry,
    name_lots,
    release_lot,
    swap_lots,
)
from tests.inventory.factories import (
    NOW,
    company,
    demand,
    lot,
    node,
    packed,
    planned,
    product,
    reserved,
    stocked,
)

pytestmark = pytest.mark.django_db

SOON, LATER = date(2026, 12, 1), date(2027, 6, 1)


def milk() -> Product:
    return product(tracking="lot")


def told(name: str) -> list[dict[str, object]]:
    return [
        each.payload for each in Message.objects.filter(name=f"inventory.{name}").order_by("id")
    ]


class TestNameLots:
    def test_makes_what_is_new_and_knows_it_again(self) -> None:
        item = milk()
        draft = LotDraft(product_id=item.pk, code="A1", expires_on=SOON, supplier_lot="S9")

        first = name_lots(drafts=[draft], actor=None, now=NOW)
        again = name_lots(drafts=[LotDraft(product_id=item.pk, code=" A1 ")], actor=None, now=NOW)

        assert first == again
        made = Lot.objects.get()
        assert (made.expires_on, made.supplier_lot) == (SOON, "S9")
        assert AuditEntry.objects.filter(subject_kind="inventory.lot").count() == 1

    def test_fills_in_what_was_not_said(self) -> None:
        item = milk()
        stock = stocked(item, 1, lot=lot(item, "A1"))

        name_lots(
            drafts=[LotDraft(product_id=item.pk, code="A1", expires_on=SOON)], actor=None, now=NOW
        )

        stock.refresh_from_db()
        assert stock.expires_on == SOON

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"code": ""}, "lot"),
            ({"code": "x" * 41}, "lot"),
            ({"code": "A\n1"}, "lot"),
            ({"expires_on": LATER}, "expires_on"),
            ({"expires_on": SOON, "manufactured_on": LATER}, "expires_on"),
        ],
    )
    def test_refuses_what_is_no_such_lot(self, values: dict[str, object], field: str) -> None:
        item = milk()
        lot(item, "A1", expires_on=SOON)
        draft = LotDraft(**{"product_id": item.pk, "code": "A1"} | values)  # type: ignore[arg-type]

        with pytest.raises(BadLot) as refusal:
            name_lots(drafts=[draft], actor=None, now=NOW)

        assert refusal.value.field == field
        assert Lot.objects.get().expires_on == SOON

    def test_refuses_a_product_that_is_not_kept_by_lot(self) -> None:
        with pytest.raises(BadLot, match="not kept by lot"):
            name_lots(drafts=[LotDraft(product_id=product().pk, code="A1")], actor=None, now=NOW)


class TestBlockLot:
    def test_stops_promises_and_shipments_until_it_is_released(self) -> None:
        item = milk()
        batch = lot(item, "A1")
        stock = stocked(item, 10, lot=batch)
        shipments = packed([demand(item, 4)])

        block_lot(lot_id=batch.pk, reason="Glass", actor=None, now=NOW)

        assert reserved(demand(item, 1, id=7)).given == {7: 0}
        with pytest.raises(LotStopped, match="A1 is blocked: Glass"):
            ship_shipments(shipment_ids=shipments, actor=None, now=NOW)
        stock.refresh_from_db()
        assert (stock.on_hand, stock.reserved) == (Decimal(10), Decimal(4))

        release_lot(lot_id=batch.pk, reason="Checked", actor=None, now=NOW)

        assert reserved(demand(item, 1, id=7)).given == {7: 1}
        assert len(ship_shipments(shipment_ids=shipments, actor=None, now=NOW)) == 1

    def test_tells_every_place_once(self) -> None:
        item = milk()
        batch = lot(item, "A1")
        for code in "AB":
            stocked(item, 5, lot=batch, node=node(code))

        for _ in range(2):
            block_lot(lot_id=batch.pk, reason="Glass", actor=None, now=NOW)

        assert len(told("lot_blocked")) == 2
        assert [each["on_hand"] for each in told("lot_blocked")] == ["5.000", "5.000"]

    @pytest.mark.parametrize("change", [block_lot, release_lot])
    def test_asks_for_a_reason(self, change: Callable[..., Lot]) -> None:
        batch = lot(milk())
        if change is release_lot:
            Lot.objects.update(blocked_at=NOW, block_reason="Glass")
        with pytest.raises(BadLot, match="why"):
            change(lot_id=batch.pk, reason=" ", actor=None, now=NOW)


class TestLookAtExpiry:
    def test_tells_once_of_what_will_expire_and_once_of_what_did(self) -> None:
        item = milk()
        batch = lot(item, "A1", expires_on=SOON)
        stock = stocked(item, 10, lot=batch, unit_value="2.5")
        reserved(demand(item, 4))

        assert look_at_expiry(now=NOW) == 1
        assert look_at_expiry(now=NOW) == 0

        (warning,) = told("lot_expiring")
        assert (warning["on_hand"], warning["reserved"]) == ("10.000", "4.000")
        assert warning["value"] == "25.00"
        after = NOW + timedelta(days=10)  # 2 December
        assert look_at_expiry(now=after) == 1
        assert look_at_expiry(now=after) == 0
        (gone,) = told("lot_expired")
        assert (gone["reserved"], gone["expires_on"]) == ("4.000", "2026-12-01")
        stock.refresh_from_db()
        assert stock.is_barred
        assert (stock.on_hand, stock.reserved) == (Decimal(10), Decimal(4))
        assert StockMove.objects.count() == 1  # nothing moved

    @pytest.mark.parametrize(("day", "expired"), [(date(2026, 11, 22), 0), (date(2026, 11, 21), 1)])
    def test_is_good_on_its_last_day(self, day: date, expired: int) -> None:
        item = milk()
        stocked(item, 1, lot=lot(item, expires_on=day))
        look_at_expiry(now=NOW)
        assert len(told("lot_expired")) == expired

    @pytest.mark.parametrize(("days", "warned"), [(30, 1), (31, 0)])
    def test_warns_as_many_days_before(self, days: int, warned: int) -> None:
        item = milk()
        stocked(item, 1, lot=lot(item, expires_on=NOW.date() + timedelta(days=days)))
        look_at_expiry(now=NOW, warn_days=30)
        assert len(told("lot_expiring")) == warned

    def test_is_silent_about_what_is_used_up(self) -> None:
        batch = lot(milk(), expires_on=date(2026, 11, 1))
        assert look_at_expiry(now=NOW) == 1
        batch.refresh_from_db()
        assert batch.expired_at == NOW
        assert not told("lot_expired")


class TestSwapLots:
    def test_keeps_the_other_lot_instead(self) -> None:
        item = milk()
        soon = stocked(item, 5, lot=lot(item, "A1", expires_on=SOON))
        later = stocked(item, 5, lot=lot(item, "B2", expires_on=LATER))
        (shipment,) = planned([demand(item, 5)])
        line = ShipmentLine.objects.get()
        swap = LotSwap(line_id=line.pk, lot="B2", reason="A1 stands behind it")

        picked = pick_shipments(
            picks=[Pick(shipment_id=shipment.id, swaps=[swap])], actor=None, now=NOW
        )

        assert picked.picked_ids == [shipment.id]
        line.refresh_from_db()
        assert (line.stock_id, line.picked) == (later.pk, Decimal(5))
        held = {each.pk: each.reserved for each in Stock.objects.all()}
        assert held == {soon.pk: 0, later.pk: 5}
        kept = Reservation.objects.get(closed_at=None)
        assert (kept.stock_id, kept.quantity) == (later.pk, Decimal(5))
        entry = AuditEntry.objects.get(action="inventory.swap")
        assert entry.reason == "A1 stands behind it"

    def test_joins_a_line_that_takes_that_lot_already(self) -> None:
        item = milk()
        stocked(item, 2, lot=lot(item, "A1", expires_on=SOON))
        later = stocked(item, 9, lot=lot(item, "B2", expires_on=LATER))
        (shipment,) = planned([demand(item, 5)])
        line = ShipmentLine.objects.get(quantity=2)

        swap_lots(
            shipment_id=shipment.id,
            swaps=[LotSwap(line_id=line.pk, lot="B2", reason="Together")],
            actor=None,
            now=NOW,
        )

        left = ShipmentLine.objects.get()
        assert (left.stock_id, left.quantity) == (later.pk, Decimal(5))
        later.refresh_from_db()
        assert later.reserved == 5

    @pytest.mark.parametrize(
        ("code", "said"),
        [("Z9", "nothing of lot Z9"), ("B2", "only 2 of lot B2"), ("C3", "blocked or has expired")],
    )
    def test_refuses_a_lot_that_cannot_give_it(self, code: str, said: str) -> None:
        item = milk()
        soon = stocked(item, 5, lot=lot(item, "A1", expires_on=SOON))
        stocked(item, 2, lot=lot(item, "B2", expires_on=LATER))
        stocked(item, 9, lot=lot(item, "C3", expires_on=date(2026, 11, 20)))
        (shipment,) = planned([demand(item, 5)])
        swap = LotSwap(line_id=ShipmentLine.objects.get().pk, lot=code, reason="Nearer")

        with pytest.raises(NoSuchLot, match=said):
            swap_lots(shipment_id=shipment.id, swaps=[swap], actor=None, now=NOW)

        assert ShipmentLine.objects.get().stock_id == soon.pk
        assert Stock.objects.get(pk=soon.pk).reserved == 5

    def test_refuses_without_a_reason_and_after_the_pick(self) -> None:
        item = milk()
        stocked(item, 5, lot=lot(item, "A1"))
        stocked(item, 5, lot=lot(item, "B2"))
        (shipment,) = planned([demand(item, 5)])
        line = ShipmentLine.objects.get()
        with pytest.raises(BadLot, match="why"):
            swap_lots(
                shipment_id=shipment.id,
                swaps=[LotSwap(line_id=line.pk, lot="B2", reason="")],
                actor=None,
                now=NOW,
            )
        pick_shipments(picks=[Pick(shipment_id=shipment.id)], actor=None, now=NOW)
        with pytest.raises(ShipmentNotReady):
            swap_lots(
                shipment_id=shipment.id,
                swaps=[LotSwap(line_id=line.pk, lot="B2", reason="Nearer")],
                actor=None,
                now=NOW,
            )


class TestLotTraces:
    def test_tells_to_whom_it_went_and_where_it_lies(self) -> None:
        item = milk()
        stocked(item, 10, lot=lot(item, "A1"))
        ship_shipments(shipment_ids=packed([demand(item, 4)], 9), actor=None, now=NOW)

        (trace,) = lot_traces(entity_ids=[company().pk], code="A1")

        assert [(each.node, each.on_hand) for each in trace.stock] == [("DC-A", Decimal(6))]
        (gone,) = trace.shipped
        assert (gone.receiver, gone.document, gone.quantity) == ("Miller", "SO-9", Decimal(4))

    def test_hides_what_others_own(self) -> None:
        item = milk()
        stocked(item, 10, lot=lot(item, "A1"), entity=company("DE01", "EUR"))
        assert lot_traces(entity_ids=[company().pk], code="A1") == []
