"""orders/services/_serving.py."""

from datetime import timedelta

import pytest

from erp.governance.models import AuditEntry
from inventory.models import Reservation
from orders.models import Order
from orders.services import (
    NothingThere,
    NothingWaits,
    PromiseInThePast,
    keep_backorder,
    serve_from_node,
)
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


class TestServeFromNode:
    def test_keeps_what_waits_at_the_node(self, clerk) -> None:
        part = make.priced()
        order = make.allocated(make.account(), make.line(part, 3))
        far = make.node("DC-B")
        make.stocked(part, 5)
        make.stocked(part, 2, node=far)
        (line,) = make.lines_of(order)

        serve_from_node(line_id=line.pk, node_id=far.pk, actor=clerk, now=make.NOW)

        (line,) = make.lines_of(order)
        assert (line.reserved, line.waiting) == (2, 1)
        assert Reservation.objects.get().stock.node == far
        assert Order.objects.get().state == "partly_allocated"
        assert AuditEntry.objects.get(action="orders.serve_from_node").actor == clerk

    def test_refuses_a_node_that_has_nothing_and_a_line_that_waits_for_nothing(self, clerk) -> None:
        part, far = make.priced(), make.node("DC-B")
        order = make.allocated(make.account(), make.line(part, 3))
        (line,) = make.lines_of(order)
        before = AuditEntry.objects.count()

        with pytest.raises(NothingThere):
            serve_from_node(line_id=line.pk, node_id=far.pk, actor=clerk, now=make.NOW)
        assert AuditEntry.objects.count() == before

        make.stocked(part, 3, node=far)
        serve_from_node(line_id=line.pk, node_id=far.pk, actor=clerk, now=make.NOW)
        with pytest.raises(NothingWaits):
            serve_from_node(line_id=line.pk, node_id=far.pk, actor=clerk, now=make.NOW)


class TestKeepBackorder:
    def test_promises_another_day(self, clerk) -> None:
        order = make.allocated(make.account(), make.line(make.priced(), 3))
        (line,) = make.lines_of(order)
        day = make.TODAY + timedelta(days=9)

        keep_backorder(line_id=line.pk, promised_date=day, actor=clerk, now=make.NOW)

        (line,) = make.lines_of(order)
        assert (line.promised_date, line.first_promised_date) == (day, day)
        assert Order.objects.get().promised_date == day
        assert line.waiting == 3

    def test_refuses_a_day_that_is_over_and_a_line_that_waits_for_nothing(self, clerk) -> None:
        part = make.priced()
        make.stocked(part, 1)
        order = make.allocated(make.account(), make.line(part), make.line(make.priced()))
        served, waiting = make.lines_of(order)

        with pytest.raises(PromiseInThePast):
            keep_backorder(
                line_id=waiting.pk,
                promised_date=make.TODAY - timedelta(days=1),
                actor=clerk,
                now=make.NOW,
            )
        with pytest.raises(NothingWaits):
            keep_backorder(line_id=served.pk, promised_date=make.TODAY, actor=clerk, now=make.NOW)
