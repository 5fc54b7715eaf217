"""Invoices among the documents of their order."""

from finance.services import invoice_shipments
from orders.selectors import documents_of
from tests.finance.factories import NOW, World, product, shipped


def test_an_invoice_is_a_document_of_its_order_after_the_shipment(world: World) -> None:
    order, shipments = shipped(world, (product(world), "4", "9.99"))
    before = documents_of(order_id=order.pk, entity_ids=[order.entity_id])

    invoice_shipments(shipment_ids=shipments, now=NOW)

    found = documents_of(order_id=order.pk, entity_ids=[order.entity_id])
    assert [each["kind"] for each in before] == ["shipment"]
    assert [each["kind"] for each in found] == ["shipment", "invoice"]
    assert (found[1]["number"], found[1]["total"]) == ("INV-US01-000001", "39.9600")
    assert documents_of(order_id=order.pk, entity_ids=[])[-1]["kind"] == "shipment"
