"""A walk over all orders meets people who submit: nobody is a deadlock's victim."""

import time
from threading import Event

import pytest
from django.db import transaction

from erp.kernel.sql import rows
from orders.models import Hold, Order, PartyRole, Screening
from orders.services._locking import lock
from orders.services._screening import screen_orders
from tests.inventory.services.test_allocating_together import at_once
from tests.orders import compliance as law
from tests.orders import factories as make

pytestmark = pytest.mark.django_db(transaction=True)

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def test_the_walk_waits_for_an_order_without_keeping_its_names() -> None:
    order = make.submitted(
        make.account(make.customer(name="Zarya Marine")), make.line(make.priced())
    )
    law.listed("Zarya Marine")
    law.screen_parties(now=make.NOW)  # the customers; the orders are next
    is_locked = Event()

    def submit() -> object:
        with transaction.atomic():
            lock([order.pk])
            is_locked.set()
            until = time.monotonic() + 10
            while not rows(WAITING)[0][0] and time.monotonic() < until:
                time.sleep(0.02)
            return screen_orders([order.pk], make.NOW)

    def walk() -> object:
        assert is_locked.wait(10)
        return law.screen_parties(now=make.NOW)

    against, walked = at_once([submit, walk], threads=2)

    assert not isinstance(against, Exception), against
    assert not isinstance(walked, Exception), walked
    assert [each.listed for each in against[order.pk]] == ["Zarya Marine"]  # type: ignore[index]
    assert Hold.objects.get(order=order, state="active").kind == "compliance"
    assert Order.objects.get(pk=order.pk).state == "held"
    assert PartyRole.objects.filter(subject_kind="orders.order", subject_id=order.pk).count() == 1


def test_two_walk_at_once_and_each_order_is_held_once() -> None:
    orders = [
        make.submitted(make.account(make.customer(name="Zarya Marine")), make.line(make.priced()))
        for _ in range(6)
    ]
    law.listed("Zarya Marine")

    results = at_once([lambda: law.walked(limit=2)] * 4, threads=4)
    law.walked(limit=2)

    assert not [each for each in results if isinstance(each, Exception)]
    assert Screening.objects.get().step == "done"
    for order in orders:
        assert Hold.objects.filter(order=order, state="active").count() == 1
