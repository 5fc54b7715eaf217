"""Takes an order, checks it, and has stock kept for it: one answer to somebody who waits."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from erp.accounts.models import User
from orders.models import Order
from orders.services._allocating import allocate_orders
from orders.services._capturing import create_order
from orders.services._drafting import OrderDraft
from orders.services._submitting import submit_order
from orders.services.promising._promising import promise_rest

CAUSE = "Asked for with the order"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an order that was asked for at once; `created` is false for a known key."""

    id: int
    number: str
    created: bool


@transaction.atomic
def take_order(
    *, draft: OrderDraft, actor: User | None, now: datetime, reserve: bool = False
) -> Taken:
    """Store an order, check it, and with `reserve` keep and promise stock for it, in one commit.

    What is not there is promised by what comes and nobody waits for, else by buying.

    What the checks hold is taken and held: nothing is kept for it. As many statements for a
    thousand lines as for one. An order whose key is known goes on from where it stands.

    Raises:
        DraftRefused: it cannot be taken as written.
        OrderCancelled: the key is that of an order that was cancelled.
    """
    made = create_order(draft=draft, actor=actor, now=now)
    stands = submit_order(order_id=made.id, actor=actor, now=now)
    if reserve and stands.state == Order.State.RELEASED:
        served = allocate_orders(order_ids=[made.id], cause=CAUSE, now=now, again=False)
        if served.states.get(made.id) != Order.State.ALLOCATED:
            promise_rest(order_id=made.id, entity_id=draft.entity_id, cause=CAUSE, now=now)
    return Taken(made.id, made.number, made.created)
