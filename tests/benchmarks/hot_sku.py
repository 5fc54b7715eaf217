"""Many clients want one unit each of a few products: keep it, or say that nothing is left.

The product is `Gathering.keep`: the requests in flight are drained into one commit. The floor
(hot_sku_floor.sql) is one plpgsql call a request that writes the same rows. `single` is `allocate`
for each request by itself. All are measured in turns in the same run; then as many clients fight
for ten times eight units, and what was promised is counted.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from random import Random
from threading import Barrier
from typing import Any

from django.db import connection

from erp.accounts.services import create_entity
from erp.kernel.sql import rows
from erp.outbox.registry import handler_names
from inventory.events import StockFell
from inventory.services import (
    Demand,
    NodeDraft,
    ProductDraft,
    StockAdjustment,
    adjust_stock,
    allocate,
    upsert_nodes,
    upsert_products,
)
from inventory.services.keeping import Gathering

FLOOR = Path(__file__).with_name("hot_sku_floor.sql")
CLIENTS, PRODUCTS, PLENTY, SCARCE = 8, 10, 1_000_000, 8
ROUNDS = 5
ONE = Decimal(1)
DUE = date(2026, 12, 1)
OVERSOLD = """
    SELECT count(*) FROM inventory_stock s
    LEFT JOIN (SELECT stock_id, sum(quantity) AS quantity FROM inventory_reservation
               WHERE closed_at IS NULL GROUP BY stock_id) r ON r.stock_id = s.id
    WHERE s.reserved > s.on_hand OR s.reserved <> coalesce(r.quantity, 0)
"""


class World:
    """One entity, one node, ten products with plenty and ten with eight units each."""

    def __init__(self) -> None:
        now = datetime.now(UTC)
        self.entity = create_entity(code="BENCH", name="Bench", currency="USD", country="US").pk
        node = NodeDraft(code="N1", name="N1", entity_id=self.entity, country="US")
        node_id = upsert_nodes(drafts=[node], actor=None, now=now)["N1"]
        names = [f"{kind}{n}" for kind in "HS" for n in range(PRODUCTS)]
        goods = [ProductDraft(code=code, name=code) for code in names]
        ids = upsert_products(drafts=goods, actor=None, now=now)
        self.hot = [ids[code] for code in names[:PRODUCTS]]
        self.scarce = [ids[code] for code in names[PRODUCTS:]]
        opening = [
            StockAdjustment(
                entity_id=self.entity,
                node_id=node_id,
                product_id=product,
                quantity=Decimal(PLENTY if product in self.hot else SCARCE),
                reason="Opening",
                unit_value=ONE,
            )
            for product in [*self.hot, *self.scarce]
        ]
        adjust_stock(adjustments=opening, kind="opening", actor=None, now=now)
        self.gathering = Gathering(cause="Bench")
        self.heard = handler_names(StockFell)
        self.serial = count(1)

    def demand(self, product: int) -> Demand:
        number = next(self.serial)
        return Demand(
            kind="bench.line", id=number, entity_id=self.entity, product_id=product, quantity=ONE,
            node_id=None, priority=50, due=DUE, group_id=number,
        )  # fmt: skip

    def gathered(self, product: int) -> Decimal:
        demand = self.demand(product)
        return self.gathering.keep(demand=demand, now=datetime.now(UTC)).given[demand.id]

    def single(self, product: int) -> Decimal:
        demand, now = self.demand(product), datetime.now(UTC)
        return allocate(demands=[demand], cause="Bench", policy_version="", now=now).given[
            demand.id
        ]

    def by_hand(self, product: int) -> Decimal:
        asked = [self.entity, product, next(self.serial), ONE, list(self.heard)]
        kept: Decimal = rows("SELECT bench.keep(%s, %s, %s, %s, %s::text[])", asked)[0][0]
        return kept


Way = Callable[[int], Decimal]


def together(way: Way, products: list[int], seconds: float) -> tuple[list[float], Decimal, float]:
    """Let the clients ask for `seconds`; return each request's seconds, what was given, and CPU."""
    gate = Barrier(CLIENTS + 1)

    def client(seed: int) -> tuple[list[float], Decimal]:
        pick, took, given = Random(seed), [], Decimal(0)
        connection.ensure_connection()
        gate.wait()
        end = time.perf_counter() + seconds
        while (began := time.perf_counter()) < end:
            given += way(pick.choice(products))
            took.append(time.perf_counter() - began)
        connection.close()
        return took, given

    with ThreadPoolExecutor(CLIENTS) as pool:
        asked = [pool.submit(client, seed) for seed in range(CLIENTS)]
        gate.wait()
        burnt = time.process_time()
        answers = [each.result() for each in asked]
        burnt = time.process_time() - burnt
    took = [each for times, _ in answers for each in times]
    return took, sum((given for _, given in answers), Decimal(0)), burnt


def run(*, seconds: float = 2.0, **_more: Any) -> dict[str, object]:
    """Measure each way five times for `seconds` in turns."""
    world = World()
    with connection.cursor() as cursor:
        cursor.execute(FLOOR.read_text())
    ways: dict[str, Way] = {
        "floor": world.by_hand, "product": world.gathered, "single": world.single,
    }  # fmt: skip
    took: dict[str, list[float]] = {name: [] for name in ways}
    cpu = dict.fromkeys(ways, 0.0)
    for turn in range(ROUNDS + 1):  # the first warms caches and plans
        for name, way in ways.items():
            times, _, burnt = together(way, world.hot, seconds if turn else seconds / 4)
            if turn:
                took[name] += times
                cpu[name] += burnt
    _, promised, _ = together(world.gathered, world.scarce, 1.0)
    rate = {name: len(times) / (ROUNDS * seconds) for name, times in took.items()}
    ranked = {name: sorted(times) for name, times in took.items()}
    return {
        "product": round(rate["product"], 1),
        "floor": round(rate["floor"], 1),
        "ratio": round(rate["product"] / rate["floor"], 3),
        "single": round(rate["single"], 1),
        "single_ratio": round(rate["single"] / rate["floor"], 3),
        "unit": "requests/s",
        "p50_ms": {n: round(1000 * t[len(t) // 2], 2) for n, t in ranked.items()},
        "p99_ms": {n: round(1000 * t[len(t) * 99 // 100], 2) for n, t in ranked.items()},
        "cpu_ms": round(1000 * cpu["product"] / len(took["product"]), 3),
        "floor_cpu_ms": round(1000 * cpu["floor"] / len(took["floor"]), 3),
        "oversold": rows(OVERSOLD)[0][0],
        "promised_of_scarce": f"{promised:f} of {PRODUCTS * SCARCE}",
        "setup": f"{CLIENTS} clients, {PRODUCTS} products, one unit a request, durable commits",
    }
