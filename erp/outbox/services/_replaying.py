"""Giving facts to handlers again."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from erp.kernel.sql import run
from erp.outbox.models import Delivery
from erp.outbox.registry import event_types, subscription
from erp.outbox.waking import wake

AGAIN = """
    INSERT INTO outbox_delivery (message_id, handler, key, status, attempts, last_error)
    SELECT m.id, %(handler)s, m.key, 'pending', 0, ''
    FROM outbox_message m
    WHERE m.name = ANY(%(names)s) AND m.published_at >= %(since)s
    ORDER BY m.id
    ON CONFLICT (message_id, handler) DO UPDATE
    SET status = 'pending', attempts = 0, due_at = NULL, settled_at = NULL, last_error = ''
    WHERE outbox_delivery.status <> 'pending'
"""


@transaction.atomic
def replay_deliveries(
    *,
    delivery_ids: Collection[int] | None = None,
    handler: str = "",
    since: datetime | None = None,
    include_done: bool = False,
) -> int:
    """Have deliveries tried again from the first attempt; return how many.

    Takes the dead ones: those in `delivery_ids`, of `handler`, that died at or after `since`,
    whichever are given (all dead ones when none is). With `include_done`, `handler` is given every
    fact it listens to that was published at or after `since`, also those it handled or never saw:
    for a new handler, or to rebuild what one keeps. Repeating it changes nothing that is pending.

    Raises:
        ValueError: `include_done` without `handler` and `since`.
        KeyError: `include_done` with a handler that this release does not have.
    """
    if include_done:
        if not handler or since is None or delivery_ids is not None:
            raise ValueError("facts that were handled are replayed by handler and since")
        listener = subscription(handler)
        names = [n for n, kind in event_types().items() if listener.listens_to(kind)]
        count = run(AGAIN, {"handler": handler, "names": names, "since": since})
    else:
        dead = Delivery.objects.filter(status=Delivery.Status.DEAD)
        if delivery_ids is not None:
            dead = dead.filter(pk__in=delivery_ids)
        if handler:
            dead = dead.filter(handler=handler)
        if since is not None:
            dead = dead.filter(settled_at__gte=since)
        count = dead.update(
            status=Delivery.Status.PENDING, attempts=0, due_at=None, settled_at=None, last_error=""
        )
    if count:
        transaction.on_commit(wake, robust=True)
    return count
