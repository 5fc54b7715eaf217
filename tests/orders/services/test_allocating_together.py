"""What allocates, picks, cancels, holds and ships at once keeps the books right."""

from collections.abc import Callable
from random import Random

import pytest

from erp.kernel.errors import DomainError
from erp.kernel.invariants import check
from inventory.models import Shipment, Stock
from inventory.selectors import INVARIANTS as STOCK_INVARIANTS
from inventory.services import Pick
from orders.models import Order
from orders.selectors import INVARIANTS
from orders.services import (
    allocate_orders,
    cancel_order,
    pick_shipments,
    place_hold,
    submit_orders,
)
from tests.orders import factories as make
from tests.orders.services.test_submitting_together import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def submit(order_id: int) -> None:
    submit_orders(order_ids=[order_id], actor=None, now=make.NOW)


def allocate(order_id: int) -> None:
    allocate_orders(order_ids=[order_id], cause="race", now=make.NOW)


def pick(order_id: int) -> None:
    waiting = Shipment.objects.filter(source_id=order_id, state="planned")
    picks = [Pick(shipment_id=pk) for pk in waiting.values_list("pk", flat=True)]
    pick_shipments(picks=picks, actor=None, now=make.NOW)


def cancel(order_id: int) -> None:
    if order_id % 3 == 0:
        cancel_order(order_id=order_id, actor=None, reason="race", now=make.NOW)


def hold(order_id: int) -> None:
    if order_id % 4 == 0:
        place_hold(order_id=order_id, reason="race", actor=None, now=make.NOW)


def on_each(act: Callable[[int], None], order_ids: list[int], seed: int) -> Callable[[], int]:
    """Do it to every order, in an order of its own; return how often that was refused."""
    mine = order_ids.copy()
    Random(seed).shuffle(mine)

    def work() -> int:
        refused = 0
        for order_id in mine:
            try:
                act(order_id)
            except DomainError:
                refused += 1
        return refused

    return work


def test_many_hands_on_the_same_orders_leave_every_promise_kept() -> None:
    parts = [make.priced("3.3333", code=f"R-{n}") for n in range(4)]
    for part in parts:
        for node in (make.node("DC-A"), make.node("DC-B")):
            make.stocked(part, 12, node=node)
    accounts = [make.account(limit="700") for _ in range(3)]
    ids = [
        make.created(
            accounts[n % 3], *(make.line(p, 1 + (n + i) % 4) for i, p in enumerate(parts))
        ).pk
        for n in range(18)
    ]

    acts = (submit, submit, allocate, pick, cancel, hold)
    found = at_once(*(on_each(act, ids, seed) for seed, act in enumerate(acts)))

    assert not [each for each in found if isinstance(each, Exception)]
    for invariant in (*INVARIANTS, *STOCK_INVARIANTS):
        seen = check(invariant)
        assert not seen.violations, (seen.code, seen.sample)
    assert not Stock.objects.filter(on_hand__lt=0).exists()
    assert not Order.objects.filter(state="submitted").exists()
