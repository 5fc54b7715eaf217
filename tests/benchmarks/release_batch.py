"""Release of many clean orders in one call: every check, class facts, receipts, audit and outbox.

The product calls `submit_orders` as workers do. The floor (release_batch_floor.sql) writes the same
rows by one plpgsql function, and asks nothing; what both write is counted and compared. Both are
measured in turns in the same run.
"""

import statistics
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.db import transaction

from erp.kernel.sql import rows
from orders.services import create_orders, submit_orders
from tests.benchmarks._written import assert_alike, written
from tests.benchmarks.order_to_cash import PER_ORDER, World, drafts_of, load_floors

FLOOR = Path(__file__).with_name("release_batch_floor.sql")
ROUNDS = 5
RELEASED = "SELECT count(*) FROM orders_order WHERE id = ANY(%s) AND state = 'released'"


def by_product(ids: list[int]) -> None:
    submit_orders(order_ids=ids, actor=None, now=datetime.now(UTC))


def by_hand(ids: list[int]) -> None:
    with transaction.atomic():
        rows("SELECT bench.release_orders(%s::bigint[])", [ids])


def drafts(world: World, orders: int) -> list[int]:
    """Write down so many orders; return their ids."""
    made = create_orders(
        drafts=drafts_of(world, world.picks(orders)), actor=None, now=datetime.now(UTC)
    )
    return [order.id for order in made]


def run(*, orders: int = 1_000, **_more: Any) -> dict[str, object]:
    """Release `orders` orders a call, five times each way."""
    world = World()
    load_floors(FLOOR)
    ways = {"floor": by_hand, "product": by_product}
    seconds, cpu, best = (
        dict.fromkeys(ways, 0.0),
        dict.fromkeys(ways, 0.0),
        dict.fromkeys(ways, 0.0),
    )
    ratios = []
    alike = {name: written(partial(way, drafts(world, orders))) for name, way in ways.items()}
    assert_alike(alike["product"], alike["floor"])
    for turn in range(ROUNDS + 1):  # the first warms caches and plans
        took = {}
        for name, way in ways.items():
            ids = drafts(world, orders)
            clock, burnt = time.perf_counter(), time.process_time()
            way(ids)
            took[name] = time.perf_counter() - clock
            assert rows(RELEASED, [ids])[0][0] == len(ids), f"{name} released not all"
            if turn:
                seconds[name] += took[name]
                cpu[name] += time.process_time() - burnt
                best[name] = max(best[name], len(ids) / took[name])
        if turn:
            ratios.append(took["product"] / took["floor"])
    total = ROUNDS * orders
    return {
        "product": round(total / seconds["product"], 1),
        "floor": round(total / seconds["floor"], 1),
        "ratio": round(seconds["floor"] / seconds["product"], 3),
        "times": round(seconds["product"] / seconds["floor"], 2),
        "times_median": round(statistics.median(ratios), 2),
        "times_best": round(min(ratios), 2),
        "unit": "orders/s",
        "cpu_ms": round(1000 * cpu["product"] / total, 3),
        "floor_cpu_ms": round(1000 * cpu["floor"] / total, 3),
        "best": {name: round(rate, 1) for name, rate in best.items()},
        "orders": total,
        "setup": f"1 client, {PER_ORDER} lines an order, {orders} orders a call, one commit a call",
    }
