import pytest

from erp.governance.models import AuditEntry
from erp.outbox.models import Message
from inventory.models import Shipment
from inventory.services import (
    ShipmentNotReady,
    deliver_shipments,
    fail_shipment,
    ship_shipments,
    void_shipment,
)
from tests.inventory.factories import NOW, demand, packed, product, stocked

pytestmark = pytest.mark.django_db


@pytest.fixture
def ready() -> int:
    pen = product()
    stocked(pen, 10)
    return packed([demand(pen, 4)])[0]


@pytest.fixture
def left(ready: int) -> int:
    ship_shipments(shipment_ids=[ready], actor=None, now=NOW)
    return ready


def test_delivered_once(left: int) -> None:
    assert deliver_shipments(shipment_ids=[left], now=NOW) == [left]
    assert deliver_shipments(shipment_ids=[left], now=NOW) == []
    assert Shipment.objects.get().delivered_at == NOW
    assert Message.objects.filter(name="inventory.shipment_delivered").count() == 1
    assert AuditEntry.objects.filter(action="inventory.deliver").count() == 1


def test_nothing_is_delivered_that_has_not_left(ready: int) -> None:
    with pytest.raises(ShipmentNotReady, match="deliver"):
        deliver_shipments(shipment_ids=[ready], now=NOW)


def test_what_failed_may_still_arrive(left: int) -> None:
    fail_shipment(shipment_id=left, reason="Refused", actor=None, now=NOW)
    fail_shipment(shipment_id=left, reason="Refused", actor=None, now=NOW)
    assert Shipment.objects.get().failure == "Refused"
    assert Message.objects.filter(name="inventory.shipment_failed").count() == 1
    assert deliver_shipments(shipment_ids=[left], now=NOW) == [left]
    with pytest.raises(ShipmentNotReady):
        fail_shipment(shipment_id=left, reason="Lost", actor=None, now=NOW)


def test_what_left_cannot_be_voided(left: int) -> None:
    with pytest.raises(ShipmentNotReady, match="void"):
        void_shipment(shipment_id=left, reason="Oops", actor=None, now=NOW)
    assert Shipment.objects.get().state == "shipped"
