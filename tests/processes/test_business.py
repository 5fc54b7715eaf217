"""Orders while everything is killed: what was acknowledged is there, once, and goes on to cash."""

import json
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.processes.harness import RunningSystem

pytestmark = pytest.mark.processes
ORDERS = 40
SETTLED_S = 150.0
FOUND = """
from datetime import timedelta
from django.utils import timezone
from erp.accounts.models import Role
from erp.accounts.services import assign_role, create_user, issue_key
from tests.benchmarks.order_to_cash import World
world = World()
user = create_user(username="partner", password=None)
for role in (Role.ORDER_DESK, Role.OPERATIONS_LEAD, Role.WAREHOUSE):
    assign_role(user=user, entity=world.entity, role=role)
until = timezone.now() + timedelta(days=1)
print("KEY", issue_key(user=user, name="chaos", scopes=[], expires_at=until))
"""
UNSETTLED = """
    SELECT (SELECT count(*) FROM orders_order WHERE state IN ('draft', 'submitted', 'released'))
         + (SELECT count(*) FROM outbox_delivery WHERE status = 'pending')
"""


class Partner:
    """A client that keeps a journal: it repeats a request under one key until it has an answer."""

    def __init__(self, system: RunningSystem, key: str) -> None:
        self.system, self.key = system, key
        self.acknowledged: list[str] = []
        self.lock = threading.Lock()

    def post(self, address: str, body: object = None) -> dict[str, Any]:
        once = str(uuid.uuid4())
        until = time.monotonic() + SETTLED_S
        while True:
            request = urllib.request.Request(  # noqa: S310  the test's own server
                f"{self.system.url}/api/v1/{address}",
                data=json.dumps(body or {}).encode(),
                headers={
                    "Authorization": f"Bearer {self.key}",
                    "Content-Type": "application/json",
                    "Idempotency-Key": once,
                },
            )
            try:
                with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310
                    return json.load(answer)
            except urllib.error.HTTPError as refusal:
                said = f"{refusal.code} {refusal.read().decode(errors='replace')}"
                if refusal.code < 500 and "in_progress" not in said:
                    raise AssertionError(f"{address}: {said}") from refusal
            except (OSError, ValueError):
                pass
            assert time.monotonic() < until, f"no answer to {address}"
            time.sleep(0.3)

    def order(self, number: int) -> str:
        lines = [
            {"product": f"P{(number * 5 + n) % 500:04d}", "quantity": str(1 + n)} for n in range(3)
        ]
        made = self.post(
            "orders/",
            {
                "entity": "BENCH",
                "customer": f"C{number % 100:04d}",
                "requested_date": "2030-01-01",
                "lines": lines,
            },
        )
        self.post(f"orders/{made['number']}/submit/")
        with self.lock:
            self.acknowledged.append(made["number"])
        return made["number"]


@pytest.fixture(scope="module")
def partner(system: RunningSystem) -> Partner:
    printed = system.manage("shell", "-c", FOUND)
    key = next(line for line in printed.splitlines() if line.startswith("KEY "))
    return Partner(system, key.removeprefix("KEY ").strip())


def settle(system: RunningSystem, done: Callable[[], bool]) -> None:
    until = time.monotonic() + SETTLED_S
    while not done():
        assert time.monotonic() < until, f"does not settle:\n{system.tail()}"
        time.sleep(0.5)


def test_no_order_is_lost_or_doubled_and_all_of_them_reach_cash(
    system: RunningSystem, partner: Partner
) -> None:
    before = system.ask("SELECT count(*) FROM orders_order")[0][0]
    numbers = iter(range(ORDERS))
    turn = threading.Lock()

    def desk() -> None:
        while True:
            with turn:
                number = next(numbers, None)
            if number is None:
                return
            try:
                partner.order(number)
            except Exception as failure:  # noqa: BLE001  told below, by the thread that asserts
                failures.append(repr(failure))

    failures: list[str] = []
    desks = [threading.Thread(target=desk) for _ in range(3)]
    for thread in desks:
        thread.start()
    for name in ("worker", "web", "postgres", "valkey", "worker", "web"):
        time.sleep(1.5)
        system.kill(name)
        if name == "valkey":
            system.wait_ready()
            with redis.Redis.from_url(system.valkey.url) as line:
                line.flushall()
    for thread in desks:
        thread.join(2 * SETTLED_S)
    system.wait_ready()

    assert failures == []
    assert len(set(partner.acknowledged)) == ORDERS
    settle(system, lambda: system.ask(UNSETTLED) == [(0,)])
    assert system.ask("SELECT count(*) FROM orders_order")[0][0] - before == ORDERS
    states = system.ask("SELECT DISTINCT state FROM orders_order")
    assert states == [("allocated",)]

    send_everything(system, partner)

    drift = json.loads(system.manage("verify", "--json").splitlines()[-1])
    assert drift["drift"] == 0, [i for i in drift["invariants"] if i["violations"]]


def send_everything(system: RunningSystem, partner: Partner) -> None:
    """Pick, pack and ship all shipments while the worker dies; each is invoiced once."""
    shipments = [r[0] for r in system.ask("SELECT number FROM inventory_shipment ORDER BY id")]
    assert len(shipments) == ORDERS
    for place, number in enumerate(shipments):
        if place in {10, 25}:
            system.wait(lambda: system.pid("worker"), "a worker")
            system.kill("worker")
        for step in ("pick", "pack", "ship"):
            partner.post(f"shipments/{number}/{step}/")
    invoiced = (
        "SELECT count(*), count(DISTINCT shipment_id) FROM finance_invoice WHERE state = 'posted'"
    )
    settle(system, lambda: system.ask(invoiced) == [(ORDERS, ORDERS)])
    settle(system, lambda: system.ask(UNSETTLED) == [(0,)])
    assert system.ask("SELECT DISTINCT state FROM orders_order") == [("invoiced",)]
