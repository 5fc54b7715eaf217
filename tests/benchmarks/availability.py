"""One order of a thousand lines: checked, promised and reserved in one request; and asking first.

The product answers `POST /api/v1/orders/` with `allocate`: JSON in, create and price, every release
check, class, plan, credit, allocation, promises, shipment, audit and outbox in one commit, and the
whole order as JSON out, by Django's own client without a socket. The floor (order_to_cash_floor.sql
and release_batch_floor.sql) writes the same rows in one commit by three plpgsql functions, and asks
and answers nothing; what both write is counted and compared. Both are measured in turns.

`POST /api/v1/availability/` is measured beside it for 1, 100 and 1,000 lines: it writes nothing.
"""

import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from erp.accounts.models import Role, User
from erp.accounts.services import assign_role
from erp.kernel.sql import rows
from tests.benchmarks._written import assert_alike, written
from tests.benchmarks.order_to_cash import FLOORS, World, load_floors

ORDERS, AVAILABILITY = "/api/v1/orders/", "/api/v1/availability/"
ROUNDS = 7
ASKED = (1, 100, 1_000)
KEPT = """
    SELECT count(*), count(*) FILTER (WHERE l.reserved = l.quantity AND l.promised_date IS NOT NULL)
    FROM orders_orderline l WHERE l.order_id = %s
"""


class Desk:
    """A signed-in client of one company, and a thousand products that it sells."""

    def __init__(self, lines: int) -> None:
        self.world, self.lines = World(products=lines), lines
        clerk = User.objects.create_user("bench")
        assign_role(user=clerk, entity=self.world.entity, role=Role.ORDER_DESK)
        self.client = Client(SERVER_NAME="127.0.0.1")
        self.client.force_login(clerk)
        self.codes = dict(rows("SELECT id, code FROM inventory_product"))
        self.customers = dict(rows("SELECT id, code FROM orders_customer"))

    def pick(self) -> tuple[int, list[tuple[int, int]]]:
        """Draw a customer, and every product once with a quantity, in no order."""
        draw = self.world.random
        products = draw.sample(self.world.products, self.lines)
        return draw.choice(self.world.customers), [(p, draw.randint(1, 9)) for p in products]

    def post(self, path: str, body: dict[str, Any], status: int) -> Any:
        answer = self.client.post(path, json.dumps(body), content_type="application/json")
        assert answer.status_code == status, answer.content[:500]
        return answer

    def take(self, wanted: tuple[int, list[tuple[int, int]]]) -> int:
        """Send one order as a partner does; return its id."""
        customer, lines = wanted
        body = {
            "entity": "BENCH",
            "customer": self.customers[customer],
            "allocate": True,
            "lines": [{"product": self.codes[p], "quantity": str(q)} for p, q in lines],
        }
        number = json.loads(self.post(ORDERS, body, 201).content)["number"]
        return int(rows("SELECT id FROM orders_order WHERE number = %s", [number])[0][0])

    def write(self, wanted: tuple[int, list[tuple[int, int]]]) -> int:
        """The floor: the same rows by three SQL functions in one commit."""
        customer, lines = wanted
        with transaction.atomic():
            params = [
                [self.world.accounts[customer]],
                [p for p, _q in lines],
                [q for _p, q in lines],
                len(lines),
            ]
            call = "SELECT bench.create_orders(%s::bigint[], %s::bigint[], %s::numeric[], %s)"
            ids = rows(call, params)[0][0]
            rows("SELECT bench.release_orders(%s::bigint[])", [ids])
            rows("SELECT bench.allocate_orders(%s::bigint[])", [ids])
        return int(ids[0])

    def ask(self, lines: int) -> None:
        chosen = self.world.random.sample(self.world.products, lines)
        body = {
            "entity": "BENCH",
            "lines": [{"product": self.codes[p], "quantity": "7"} for p in chosen],
        }
        found = json.loads(self.post(AVAILABILITY, body, 200).content)["lines"]
        assert len(found) == lines


def run(*, lines: int = 1_000, **_more: Any) -> dict[str, object]:
    """Take orders of `lines` lines in turns with the floor, then ask what is available."""
    desk = Desk(lines)
    load_floors(*FLOORS)
    ways: dict[str, Callable[[Any], int]] = {"floor": desk.write, "product": desk.take}
    for way in ways.values():  # warm caches, plans and the views
        for _ in range(2):
            way(desk.pick())
    wanted = desk.pick()
    alike = {name: written(partial(way, wanted)) for name, way in ways.items()}
    assert_alike(alike["product"], alike["floor"])
    took: dict[str, list[float]] = {name: [] for name in ways}
    cpu = dict.fromkeys(ways, 0.0)
    for _ in range(ROUNDS):
        for name, way in ways.items():
            wanted = desk.pick()
            clock, burnt = time.perf_counter(), time.process_time()
            order = way(wanted)
            took[name].append(time.perf_counter() - clock)
            cpu[name] += time.process_time() - burnt
            assert rows(KEPT, [order])[0] == (lines, lines), f"{name} kept or promised not all"
    product, floor = (statistics.median(took[name]) for name in ("product", "floor"))
    return {
        "product": round(1 / product, 2),
        "floor": round(1 / floor, 2),
        "ratio": round(floor / product, 3),
        "unit": "orders/s",
        "cpu_ms": round(1000 * cpu["product"] / ROUNDS, 1),
        "floor_cpu_ms": round(1000 * cpu["floor"] / ROUNDS, 1),
        "ms": round(1000 * product, 1),
        "ms_worst": round(1000 * max(took["product"]), 1),
        "statements": {n: _statements(desk, n) for n in (1, lines)},
        "availability": {n: _asked(desk, n) for n in ASKED if n <= lines},
        "lines": lines,
        "setup": (
            f"POST orders/ with allocate, {lines} lines, one commit, by Django's client without a "
            f"socket, medians of {ROUNDS}; policy + audit + outbox + receipts on; the floor "
            "parses and answers nothing"
        ),
    }


def _statements(desk: Desk, lines: int) -> int:
    """Count the statements of one request of so many lines."""
    customer, wanted = desk.pick()
    with CaptureQueriesContext(connection) as found:
        desk.take((customer, wanted[:lines]))
    return len(found)


def _asked(desk: Desk, lines: int) -> dict[str, float]:
    """Return what one question about so many lines takes, in all and per line."""
    desk.ask(lines)
    took = []
    for _ in range(ROUNDS):
        clock = time.perf_counter()
        desk.ask(lines)
        took.append(time.perf_counter() - clock)
    ms = 1000 * statistics.median(took)
    return {"ms": round(ms, 2), "ms_per_line": round(ms / lines, 3)}
