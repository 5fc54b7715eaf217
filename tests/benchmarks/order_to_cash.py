"""Order to cash: create and price, submit and release, allocate, pick, pack, ship, invoice.

The product calls the services that pages, REST and workers call, one commit a step, with policy,
audit, outbox, decision receipts and ledger on. The floor (order_to_cash_floor.sql) writes the same
tables by one plpgsql function a step. Both are measured in turns in the same run.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from django.db import connection, transaction

from erp.accounts.services import create_entity
from erp.kernel.sql import rows
from erp.kernel.sql import run as execute
from erp.outbox.registry import event_types, handler_names
from erp.web.demo.founding import codes
from finance.services import adjust_stock, invoice_shipments, open_books, ship_shipments
from inventory.services import (
    NodeDraft,
    Pack,
    Pick,
    ProductDraft,
    StockAdjustment,
    pack_shipments,
    upsert_nodes,
    upsert_products,
)
from orders.services import (
    AccountRow,
    CustomerRow,
    LineDraft,
    OrderDraft,
    PriceRow,
    allocate_orders,
    create_orders,
    pick_shipments,
    submit_orders,
    upsert_accounts,
    upsert_customers,
    upsert_prices,
)
from tests.benchmarks._written import assert_alike, written

FLOORS = [
    Path(__file__).with_name(f"{name}_floor.sql") for name in ("release_batch", "order_to_cash")
]
PRODUCTS, CUSTOMERS, PER_ORDER = 500, 100, 5
ROUNDS = 5
SHIPMENTS = (
    "SELECT id FROM inventory_shipment WHERE source_id = ANY(%s) AND source_kind = 'orders.order'"
)
DONE = """
    SELECT count(*), count(*) FILTER (WHERE state = 'invoiced') FROM orders_order WHERE id = ANY(%s)
"""


class World:
    """One entity, one node, plenty of stock, customers with room."""

    def __init__(self, products: int = PRODUCTS) -> None:
        now = datetime.now(UTC)
        self.entity = create_entity(code="BENCH", name="Bench", currency="USD", country="US")
        open_books(entity_id=self.entity.pk, now=now)
        upsert_nodes(
            drafts=[NodeDraft(code="N1", name="N1", entity_id=self.entity.pk, country="US")],
            actor=None,
            now=now,
        )
        goods = [ProductDraft(code=f"P{n:04d}", name=f"Product {n}") for n in range(products)]
        upsert_products(drafts=goods, actor=None, now=now)
        buyers = [
            CustomerRow(
                code=f"C{n:04d}",
                name=f"Customer {n}",
                address="1 Dock Road",
                city="X",
                country="US",
                postal_code="1",
            )
            for n in range(CUSTOMERS)
        ]
        upsert_customers(rows=buyers, actor=None, now=now)
        self.products = sorted(codes("inventory_product").values())
        self.customers = sorted(codes("orders_customer").values())
        upsert_accounts(
            rows=[
                AccountRow(
                    entity_id=self.entity.pk,
                    customer_id=c,
                    currency="USD",
                    credit_limit=Decimal(10**9),
                )
                for c in self.customers
            ],
            actor=None,
            now=now,
        )
        upsert_prices(
            rows=[
                PriceRow(
                    entity_id=self.entity.pk,
                    product_id=p,
                    currency="USD",
                    unit_price=Decimal("12.34"),
                    valid_from=date(2020, 1, 1),
                )
                for p in self.products
            ],
            actor=None,
            now=now,
        )
        node = codes("inventory_node")["N1"]
        adjust_stock(
            adjustments=[
                StockAdjustment(
                    entity_id=self.entity.pk,
                    node_id=node,
                    product_id=p,
                    quantity=Decimal(10**6),
                    unit_value=Decimal("7.89"),
                    reason="bench",
                )
                for p in self.products
            ],
            kind="opening",
            actor=None,
            now=now,
        )
        execute("ANALYZE")
        self.random = Random(1)
        found = rows("SELECT customer_id, id FROM orders_creditaccount")
        self.accounts = dict(found)

    def picks(self, count: int) -> list[tuple[int, list[tuple[int, int]]]]:
        """Draw `count` orders: a customer and five distinct products with quantities."""
        return [
            (
                self.random.choice(self.customers),
                [
                    (p, self.random.randint(1, 9))
                    for p in self.random.sample(self.products, PER_ORDER)
                ],
            )
            for _ in range(count)
        ]


def drafts_of(
    world: World, wanted: Sequence[tuple[int, list[tuple[int, int]]]]
) -> list[OrderDraft]:
    """Write down what is wanted as any door would."""
    return [
        OrderDraft(
            entity_id=world.entity.pk,
            customer_id=customer,
            channel="api",
            lines=[LineDraft(product_id=p, quantity=Decimal(q)) for p, q in lines],
        )
        for customer, lines in wanted
    ]


def by_product(world: World, wanted: Sequence[tuple[int, list[tuple[int, int]]]]) -> list[int]:
    """Take a batch of orders from entry to invoice through the services; return the order ids."""
    now = datetime.now(UTC)
    made = create_orders(drafts=drafts_of(world, wanted), actor=None, now=now)
    ids = [order.id for order in made]
    submit_orders(order_ids=ids, actor=None, now=now)
    allocate_orders(order_ids=ids, limit=len(ids), cause="bench", now=now)
    shipments = [row[0] for row in rows(SHIPMENTS, [ids])]
    pick_shipments(picks=[Pick(shipment_id=i) for i in shipments], actor=None, now=now)
    pack_shipments(packs=[Pack(shipment_id=i) for i in shipments], actor=None, now=now)
    ship_shipments(shipment_ids=shipments, actor=None, now=now)
    invoice_shipments(shipment_ids=shipments, now=now)
    return ids


def by_hand(world: World, wanted: Sequence[tuple[int, list[tuple[int, int]]]]) -> list[int]:
    """The floor: the same orders by one SQL function a step, a commit each."""
    accounts = [world.accounts[customer] for customer, _ in wanted]
    products = [p for _, lines in wanted for p, _ in lines]
    quantities = [q for _, lines in wanted for _, q in lines]

    def step(call: str, *params: Any) -> Any:
        with transaction.atomic():
            return rows(f"SELECT bench.{call}", params)[0][0]

    ids = step(
        "create_orders(%s::bigint[], %s::bigint[], %s::numeric[], %s)",
        accounts,
        products,
        quantities,
        PER_ORDER,
    )
    step("release_orders(%s::bigint[])", ids)
    shipments = step("allocate_orders(%s::bigint[])", ids)
    for name in ("pick_shipments", "pack_shipments", "ship_shipments", "invoice_shipments"):
        step(f"{name}(%s::bigint[])", shipments)
    return list(ids)


def load_floors(*floors: Path) -> None:
    """Lay down the floors' functions, and whom they tell of what."""
    with connection.cursor() as cursor:
        for floor in floors:
            cursor.execute(floor.read_text())
    heard = [
        (event.name, name) for event in event_types().values() for name in handler_names(event)
    ]
    execute(
        "INSERT INTO bench.listener SELECT * FROM unnest(%s::text[], %s::text[])",
        [[name for name, _handler in heard], [handler for _name, handler in heard]],
    )


def measure(size: int, count: int) -> dict[str, object]:
    world = World()
    load_floors(*FLOORS)
    ways: dict[str, Callable[[World, Any], list[int]]] = {"floor": by_hand, "product": by_product}
    seconds, cpu = dict.fromkeys(ways, 0.0), dict.fromkeys(ways, 0.0)
    best = dict.fromkeys(ways, 0.0)
    for way in ways.values():  # warm caches and prepared plans
        way(world, world.picks(size))
    wanted = world.picks(size)
    found = {name: written(partial(way, world, wanted)) for name, way in ways.items()}
    assert_alike(found["product"], found["floor"])
    for _ in range(ROUNDS):
        for name, way in ways.items():
            batches = [world.picks(size) for _ in range(max(1, count // ROUNDS // size))]
            clock, burnt, made = time.perf_counter(), time.process_time(), list[int]()
            for batch in batches:
                made += way(world, batch)
            took = time.perf_counter() - clock
            seconds[name] += took
            cpu[name] += time.process_time() - burnt
            best[name] = max(best[name], len(made) / took)
            whole, invoiced = rows(DONE, [made])[0]
            assert whole == invoiced == len(made), f"{name}: {invoiced} of {whole} invoiced"
    total = ROUNDS * max(1, count // ROUNDS // size) * size
    product, by_floor = total / seconds["product"], total / seconds["floor"]
    return {
        "product": round(product, 1),
        "floor": round(by_floor, 1),
        "ratio": round(product / by_floor, 3),
        "unit": "orders/s",
        "cpu_ms": round(1000 * cpu["product"] / total, 2),
        "floor_cpu_ms": round(1000 * cpu["floor"] / total, 2),
        "best": {name: round(rate, 1) for name, rate in best.items()},
        "orders": total,
        "setup": (
            f"1 client, {PER_ORDER} lines an order, {size} orders a call, {ROUNDS} rounds, "
            "one durable commit a step, policy + audit + outbox + receipts + ledger on"
        ),
    }


def run(*, orders: int = 300, **_more: Any) -> dict[str, object]:
    """One order a call, as a page or a partner sends it."""
    return measure(1, orders)


def run_batch(*, orders: int = 5_000, **_more: Any) -> dict[str, object]:
    """Two hundred and fifty orders a call, as bulk intake and workers do."""
    return measure(250, orders)


BENCHMARKS = {"order_to_cash": run, "order_to_cash_batch": run_batch}
