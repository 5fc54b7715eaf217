"""procurement/services/sourcing/_buying.py: what becomes of purchases that nobody waits for."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from inventory.models import Sourcing
from orders.models import OrderLine
from orders.services import allocate_orders, cancel_order
from procurement.models import PurchaseOrder
from procurement.services import approve_order, send_order
from procurement.services.sourcing import buy_for_demand, call_off_purchase
from tests.inventory.services.sourcing import scenes
from tests.orders import factories as make
from tests.procurement.factories import make_person

pytestmark = pytest.mark.django_db

Deliver = Callable[[], int]


def bought(deliver_all: Deliver, **offer: object) -> OrderLine:
    """Return a line for which the policy bought by itself."""
    scenes.says([{"when": [], "then": scenes.act("automatic")}])
    part = make.priced("10")
    scenes.offered(part, **offer)
    line = scenes.short(part)
    deliver_all()
    return line


def purchase() -> PurchaseOrder:
    return PurchaseOrder.objects.get()


def agreed() -> PurchaseOrder:
    """Have somebody else agree to the purchase, where the policy asks for that."""
    order = purchase()
    if order.state == "pending":
        boss = make_person("agrees", order.entity, "procurement.approve_purchase_order")
        approve_order(order_id=order.pk, actor=boss, now=make.NOW)
    return purchase()


class TestWithdrawal:
    @pytest.mark.parametrize("drop_ships", [False, True])
    def test_a_purchase_not_sent_is_called_off_with_the_order(
        self, deliver_all: Deliver, *, drop_ships: bool
    ) -> None:
        line = bought(deliver_all, drop_ships=drop_ships)
        assert purchase().state in {"pending", "approved"}

        cancel_order(order_id=line.order_id, actor=None, reason="Changed mind", now=make.NOW)
        deliver_all()

        assert purchase().state == "cancelled"
        assert purchase().close_reason == "Nobody waits for it any more"
        assert Sourcing.objects.get().state == "withdrawn"

    @pytest.mark.parametrize("drop_ships", [False, True])
    def test_a_purchase_not_sent_is_called_off_once_stock_covers_the_line(
        self, deliver_all: Deliver, *, drop_ships: bool
    ) -> None:
        line = bought(deliver_all, drop_ships=drop_ships)
        make.stocked(line.product, 10)

        allocate_orders(order_ids=[line.order_id], cause="test", now=make.NOW)
        deliver_all()

        kept = OrderLine.objects.get(pk=line.pk)
        assert (kept.reserved, kept.waiting, kept.direct) == (10, 0, 0)
        assert purchase().state == "cancelled"
        assert Sourcing.objects.get().state == "withdrawn"

    def test_an_approved_one_is_called_off_as_well(self, deliver_all: Deliver) -> None:
        line = bought(deliver_all)
        agreed()

        cancel_order(order_id=line.order_id, actor=None, reason="Changed mind", now=make.NOW)
        deliver_all()

        assert purchase().state == "cancelled"

    def test_one_that_was_sent_comes_and_stays_asked_for(self, deliver_all: Deliver) -> None:
        line = bought(deliver_all)
        send_order(order_id=agreed().pk, actor=None, now=make.NOW)

        cancel_order(order_id=line.order_id, actor=None, reason="Changed mind", now=make.NOW)
        deliver_all()

        assert purchase().state == "sent"
        assert Sourcing.objects.get().state == "asked"

    def test_calling_off_again_changes_nothing(self, deliver_all: Deliver) -> None:
        bought(deliver_all)

        assert call_off_purchase(order_id=purchase().pk, now=make.NOW)
        assert not call_off_purchase(order_id=purchase().pk, now=make.NOW)

        assert purchase().state == "cancelled"

    def test_buying_again_what_was_called_off_changes_nothing(self, deliver_all: Deliver) -> None:
        bought(deliver_all)
        call_off_purchase(order_id=purchase().pk, now=make.NOW)
        deliver_all()

        assert buy_for_demand(sourcing_id=Sourcing.objects.get().pk, now=make.NOW) is None

        assert PurchaseOrder.objects.count() == 1
        assert purchase().total == Decimal(60)
