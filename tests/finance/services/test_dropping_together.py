"""finance/services/_dropping.py: notices, cancellations and allocation at the same moment."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from erp.kernel.errors import DomainError
from finance.services import confirm_direct_shipment
from inventory.models import Shipment
from orders.services import allocate_orders, cancel_order
from procurement.models import PurchaseOrder
from procurement.services import cancel_order as call_off
from procurement.services import send_order
from tests.finance import drops, factories
from tests.finance.factories import NOW
from tests.orders.services.test_submitting_together import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def trying(act: Callable[[], object]) -> Callable[[], bool]:
    """Return what does it, and tells if it was done."""

    def tried() -> bool:
        try:
            act()
        except DomainError:
            return False
        except Exception as refused:
            if type(refused).__name__ != "TransitionNotAllowed":
                raise
            return False
        return True

    return tried


def notice(order: PurchaseOrder, quantity: str) -> Callable[[], bool]:
    line_id = order.lines.get().pk
    return trying(
        lambda: confirm_direct_shipment(
            order_id=order.pk, lines=[(line_id, Decimal(quantity))], actor=None, now=NOW
        )
    )


def test_two_notices_of_the_whole_ship_it_once() -> None:
    line = drops.proposed(factories.world())
    order = drops.sent(line)

    done = at_once(notice(order, "10"), notice(order, "10"))

    assert sorted(done) == [False, True]
    assert drops.line_of(line).shipped == 10
    assert Shipment.objects.count() == 1
    assert drops.broken() == {}


def test_two_notices_of_parts_both_count() -> None:
    line = drops.proposed(factories.world())
    order = drops.sent(line)

    done = at_once(notice(order, "4"), notice(order, "6"))

    assert done == [True, True]
    assert drops.line_of(line).shipped == 10
    assert drops.order_of(line).state in {"shipped", "invoiced"}  # facts are delivered meanwhile
    assert drops.broken() == {}


def test_calling_off_and_a_notice_leave_one_of_them_done() -> None:
    line = drops.proposed(factories.world())
    order = drops.sent(line)

    sent, gone = at_once(
        notice(order, "10"),
        trying(lambda: call_off(order_id=order.pk, actor=None, reason="No", now=NOW)),
    )

    assert sent != gone
    kept = drops.line_of(line)
    assert (kept.shipped, kept.direct) == ((10, 0) if sent else (0, 0))
    assert drops.broken() == {}


def test_cancelling_the_order_while_the_supplier_is_told_does_one_of_them() -> None:
    line = drops.proposed(factories.world())
    order = drops.written(line)

    told, cancelled = at_once(
        trying(lambda: send_order(order_id=order.pk, actor=None, now=NOW)),
        trying(lambda: cancel_order(order_id=line.order_id, actor=None, reason="No", now=NOW)),
    )

    assert told != cancelled
    kept = drops.line_of(line)
    assert (kept.direct, kept.cancelled) == ((10, 0) if told else (0, 10))
    assert drops.broken() == {}


def test_stock_and_the_supplier_never_both_serve_the_line() -> None:
    world = factories.world()
    line = drops.proposed(world)
    order = drops.written(line)
    factories.adjust_stock(
        adjustments=[factories.adjustment(world, line.product, "10", "4")],
        kind="adjustment", actor=None, now=NOW,
    )  # fmt: skip

    told, _served = at_once(
        trying(lambda: send_order(order_id=order.pk, actor=None, now=NOW)),
        trying(lambda: allocate_orders(order_ids=[line.order_id], cause="race", now=NOW)),
    )

    kept = drops.line_of(line)
    assert (kept.direct, kept.reserved) == ((10, 0) if told else (0, 10))
    assert drops.broken() == {}
