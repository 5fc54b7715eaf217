"""orders/services/_classing.py."""

import pytest

from erp.governance.models import AuditEntry
from orders.models import Order, OrderClass
from orders.services import CustomerRow, upsert_customers
from orders.services._classing import reclass_orders
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def test_keeps_the_class_with_its_policy_and_inputs() -> None:
    order = make.submitted(make.account(make.customer(tier="B")), make.line(make.priced("7"), 3))

    fact = OrderClass.objects.get(order=order)

    assert (fact.version, fact.class_code, fact.priority) == (1, "B-urgent", 30)
    assert fact.policy_version.startswith("orders.classify v")
    assert (fact.inputs["tier"], fact.inputs["total"]) == ("B", "21.0000")
    assert fact.cause == "submitted"


def test_classes_anew_when_the_tier_changes() -> None:
    buyer = make.customer("GOLD", tier="C")
    order = make.submitted(make.account(buyer), make.line(make.priced()))
    other = make.submitted(make.account(), make.line(make.priced()))

    row = CustomerRow(code="GOLD", name="Gold", tier="A", city="Dayton", country="US")
    upsert_customers(rows=[row], actor=None, now=make.NOW)

    order = Order.objects.get(pk=order.pk)
    assert (order.class_code, order.priority) == ("A", 20)
    assert list(order.classes.order_by("version").values_list("version", "class_code")) == [
        (1, "C-urgent"),
        (2, "A"),
    ]
    entry = AuditEntry.objects.get(action="orders.reclass")
    assert (entry.before["class"], entry.after["class"]) == ("C-urgent", "A")
    assert OrderClass.objects.filter(order=other).count() == 1


def test_leaves_alone_what_is_classed_already_or_being_picked() -> None:
    buyer = make.customer(tier="C")
    part = make.priced()
    make.stocked(part, 1)
    picked = make.picked(make.account(buyer), make.line(part))
    buyer.tier = "A"
    buyer.save()

    assert reclass_orders(customer_ids=[buyer.pk], cause="tier", now=make.NOW) == []
    assert Order.objects.get(pk=picked.pk).class_code == "C-urgent"
