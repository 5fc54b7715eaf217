"""The blast radius of one purchase order over a million pegs, with money, over two hops.

The floor is the bare recursive query over the same rows, run as written: no descriptions, no money,
no objects. Both are measured in turns in the same run; what is told is the median.
"""

import statistics
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from erp.accounts.models import Entity
from erp.kernel.sql import rows
from inventory.models import Node, Product
from inventory.selectors import blast_radius
from orders.models import CreditAccount, Customer, Order, OrderLine

PO, TRANSFER, LINE = "procurement.line", "inventory.transferline", "orders.line"
ROUNDS = 15
ORDERS, LINES_EACH = 5_000, 20
SUPPLIES, PEGS_EACH = 20_000, 50
PO_LINES, HOPS = 20, 10
GOAL_MS = 300

FLOOR = """
    WITH RECURSIVE reach (kind, id) AS (
        SELECT 'procurement.line'::text, g::bigint FROM generate_series(1, %s) g
        UNION
        SELECT p.demand_kind, p.demand_id
        FROM reach
        JOIN inventory_inbound i ON i.source_kind = reach.kind AND i.source_id = reach.id
        JOIN inventory_peg p ON p.inbound_id = i.id
    )
    SELECT kind, id FROM reach WHERE kind = 'orders.line'
"""


def run(**_more: Any) -> dict[str, object]:
    """Ask for one purchase order of twenty lines, ten of which feed a transfer each."""
    _fill()
    supplies = [(PO, number) for number in range(1, PO_LINES + 1)]
    took: dict[str, list[float]] = {"product": [], "floor": []}
    cpu = 0.0
    reached = 0
    for turn in range(ROUNDS + 2):  # the first two warm caches
        clock, burnt = time.perf_counter(), time.process_time()
        found = blast_radius(supplies=supplies, days=5)
        seconds, burnt = time.perf_counter() - clock, time.process_time() - burnt
        clock = time.perf_counter()
        reached = len(rows(FLOOR, [PO_LINES]))
        bare = time.perf_counter() - clock
        assert found.lines == reached, (found.lines, reached)
        if turn > 1:
            took["product"].append(seconds)
            took["floor"].append(bare)
            cpu += burnt
    product, floor = (statistics.median(took[name]) * 1000 for name in ("product", "floor"))
    return {
        "product": round(product, 2),
        "floor": round(floor, 2),
        "ratio": round(floor / product, 3),
        "unit": "ms a question",
        "cpu_ms": round(1000 * cpu / ROUNDS, 2),
        "slowest_ms": round(max(took["product"]) * 1000, 2),
        "goal_ms": GOAL_MS,
        "meets_goal": product < GOAL_MS,
        "demands": reached,
        "setup": f"{SUPPLIES * PEGS_EACH:,} pegs, {SUPPLIES:,} supplies, one of {PO_LINES} lines, "
        f"{HOPS} transfers behind it, median of {ROUNDS}",
    }


def _fill() -> None:
    entity = Entity.objects.create(code="BENCH", name="Bench", currency="USD", country="US")
    node = Node.objects.create(code="BENCH", name="Bench", entity=entity, country="US")
    product = Product.objects.create(code="BENCH", name="Bench")
    customer = Customer.objects.create(code="BENCH", name="Bench")
    account = CreditAccount.objects.create(customer=customer, entity=entity, currency="USD")
    order = Order.objects.create(
        entity=entity, customer=customer, account=account, currency="USD",
        requested_date=date(2026, 12, 1), created_at=datetime.now(UTC),
    )  # fmt: skip
    OrderLine.objects.create(
        order=order, position=1, product=product, uom="EA", uom_quantity=Decimal(9),
        quantity=Decimal(9), unit_price=Decimal(10), amount=Decimal(90),
    )  # fmt: skip
    _copied("orders_order", {"id": "generate_series(1000001, %(orders)s)"})
    _copied(
        "orders_orderline",
        {"id": "1000000 + g", "order_id": "1000001 + g / 20", "position": "1 + g %% 20"},
        f"generate_series(0, {ORDERS * LINES_EACH - 1}) AS g",
    )
    place = {"entity": entity.pk, "node": node.pk, "product": product.pk}
    _run(
        """
        INSERT INTO inventory_inbound (id, entity_id, node_id, product_id, source_kind, source_id,
            quantity, expected_date, source_label)
        SELECT g, %(entity)s, %(node)s, %(product)s,
            CASE WHEN g > %(supplies)s - %(hops)s THEN 'inventory.transferline'
                ELSE 'procurement.line' END, g, 1000, '2026-12-01', 'PO'
        FROM generate_series(1, %(supplies)s) g
        """,
        place | {"supplies": SUPPLIES, "hops": HOPS},
    )
    _run(
        """
        INSERT INTO inventory_peg (inbound_id, demand_kind, demand_id, quantity, pegged_at)
        SELECT s, CASE WHEN is_hop THEN 'inventory.transferline' ELSE 'orders.line' END,
            CASE WHEN is_hop THEN %(supplies)s - %(hops)s + s
                ELSE 1000000 + (s::bigint * 7919 + k * 1999) %% %(lines)s END,
            9, now()
        FROM generate_series(1, %(supplies)s) s CROSS JOIN generate_series(1, %(each)s) k
        CROSS JOIN LATERAL (SELECT s <= %(hops)s AND k = 1 AS is_hop) AS hop
        """,
        {"supplies": SUPPLIES, "hops": HOPS, "each": PEGS_EACH, "lines": ORDERS * LINES_EACH},
    )
    for table in ("inventory_inbound", "inventory_peg", "orders_order", "orders_orderline"):
        _run(f"ANALYZE {table}", None)
    assert rows("SELECT count(*) FROM inventory_peg")[0][0] == SUPPLIES * PEGS_EACH


def _copied(table: str, other: dict[str, str], more: str = "(SELECT 1) AS once") -> None:
    """Copy the one row of a table many times, with some columns otherwise."""
    columns = rows(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
        " AND is_generated = 'NEVER' AND column_name <> 'number'",
        [table],
    )
    names = [row[0] for row in columns]
    chosen = ", ".join(other.get(name, f'one."{name}"') for name in names)
    listed = ", ".join(f'"{name}"' for name in names)
    _run(
        f"INSERT INTO {table} ({listed}) SELECT {chosen}"  # noqa: S608  our own
        f" FROM (SELECT * FROM {table} LIMIT 1) AS one, {more}",
        {"orders": 1_000_000 + ORDERS + 1},
    )


def _run(statement: str, params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
