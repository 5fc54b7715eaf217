"""How many facts a second are published, delivered to one handler and marked, by one process.

The floor is the least SQL that does the same durable work: insert message and delivery, then take
and mark, 500 at a time, on tables without a key, an order, retries or a guard against a handler
that kills its process. Product and floor take turns, so that both meet the same machine.
"""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from erp.kernel.events import Event
from erp.kernel.sql import rows
from erp.kernel.sql import run as execute
from erp.outbox import registry
from erp.outbox.delivery import drain
from erp.outbox.models import Delivery
from erp.outbox.publishing import publish_all
from erp.outbox.registry import subscribe_batch, subscriptions

BATCH = 500

FLOOR_TABLES = """
    DROP TABLE IF EXISTS floor_delivery, floor_message;
    CREATE TABLE floor_message (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,
        payload jsonb NOT NULL, published_at timestamptz NOT NULL
    );
    CREATE TABLE floor_delivery (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        message_id bigint NOT NULL REFERENCES floor_message,
        handler text NOT NULL, status text NOT NULL, attempts smallint NOT NULL
    );
    CREATE INDEX floor_pending ON floor_delivery (id) WHERE status = 'pending';
"""

FLOOR_PUBLISH = """
    WITH told AS (
        INSERT INTO floor_message (name, payload, published_at)
        SELECT 'bench.sounded', p, now() FROM unnest(%s::jsonb[]) AS p RETURNING id
    )
    INSERT INTO floor_delivery (message_id, handler, status, attempts)
    SELECT id, 'bench.ignore', 'pending', 0 FROM told
"""

FLOOR_DELIVER = """
    WITH due AS MATERIALIZED (
        SELECT id FROM floor_delivery WHERE status = 'pending'
        ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
    ), done AS (
        UPDATE floor_delivery d SET status = 'done', attempts = attempts + 1
        FROM due WHERE d.id = due.id RETURNING d.message_id
    )
    SELECT m.id, m.name, m.payload FROM done JOIN floor_message m ON m.id = done.message_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sounded(Event):
    """Nothing in particular."""

    name: ClassVar[str] = "bench.sounded"

    order_id: int
    number: str
    entity_id: int

    @property
    def key(self) -> str:
        return f"order:{self.order_id}"


def ignore(events: Sequence[Sounded]) -> None:
    """Do nothing with them."""


def product(count: int) -> None:
    """Publish `count` facts, a batch to a transaction, and deliver them all."""
    for start in range(0, count, BATCH):
        with transaction.atomic():
            publish_all(
                [
                    Sounded(order_id=n, number=f"SO-{n}", entity_id=1)
                    for n in range(start, start + BATCH)
                ]
            )
    drain(timezone.now, limit=BATCH, seconds=600)


def floor(count: int) -> None:
    """Do the same by hand."""
    for start in range(0, count, BATCH):
        payloads = [
            json.dumps({"order_id": n, "number": f"SO-{n}", "entity_id": 1})
            for n in range(start, start + BATCH)
        ]
        with transaction.atomic():
            execute(FLOOR_PUBLISH, [payloads])
    while True:
        with transaction.atomic():
            if not [json.loads(payload) for _, _, payload in rows(FLOOR_DELIVER, [BATCH])]:
                return


def run(*, events: int = 20_000, rounds: int = 3, **_more: object) -> dict[str, object]:
    """Take turns and compare; `product` and `floor` are events per second, medians of `rounds`."""
    began = time.perf_counter()
    if not any(s.event_type is Sounded for s in subscriptions().values()):
        subscribe_batch(Sounded)(ignore)
    registry._names_by_type[Sounded] = [  # those who hear everything have no part in the floor
        name for name, s in subscriptions().items() if s.event_type is Sounded
    ]
    with connection.cursor() as cursor:
        cursor.execute(FLOOR_TABLES)
    setup = time.perf_counter() - began
    ours, theirs, cpu = [], [], []
    for _ in range(rounds):
        used = time.process_time()
        ours.append(events / _seconds(product, events))
        cpu.append((time.process_time() - used) * 1_000 / events)
        theirs.append(events / _seconds(floor, events))
    pending = Delivery.objects.filter(handler__endswith=".ignore", status="pending").count()
    return {
        "name": "outbox",
        "product": round(statistics.median(ours)),
        "floor": round(statistics.median(theirs)),
        "ratio": round(statistics.median(ours) / statistics.median(theirs), 3),
        "unit": "events/s",
        "cpu_ms": round(statistics.median(cpu), 4),
        "setup": round(setup, 2),
        "events": events,
        "rounds": rounds,
        "undelivered": pending,
        "eager": settings.CELERY_TASK_ALWAYS_EAGER,
    }


def _seconds(work: Callable[[int], None], count: int) -> float:
    began = time.perf_counter()
    work(count)
    return time.perf_counter() - began
