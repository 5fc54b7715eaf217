"""A backlog allocated in one commit: 5 lines an order, 5 nodes, supply for 60 %, partial allowed.

The product reads what waits, asks the policy, decides with every reason, verifies, keeps stock,
writes the run with its certificate, a receipt for every line and the lines' totals, and tells what
fell. The floor reads by COPY, shares out greedily in numpy, and copies back the same reservations
and receipts of the same size, with the same updates of balances and lines. Orders' states and
shipments are in neither. Both are measured in turns on the same lines in the same run.
"""

import math
import resource
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
from django.db import transaction

from erp.accounts.services import create_entity
from erp.governance.services import Question, decide
from erp.kernel.copying import array, copy_in, copy_out, decimal
from erp.kernel.sql import rows
from erp.kernel.sql import run as execute
from erp.web.demo.founding import codes
from inventory.rules import Wants, policy_of
from inventory.services import NodeDraft, ProductDraft, upsert_nodes, upsert_products
from inventory.services._allocating import allocate_wants
from orders.services import (
    AccountRow,
    CustomerRow,
    LineDraft,
    OrderDraft,
    PriceRow,
    create_orders,
    upsert_accounts,
    upsert_customers,
    upsert_prices,
)

PER_ORDER, NODES, PER_PRODUCT, FIRST = 5, 5, 25, 5_000
DUE = date(2026, 12, 1)
NAMES = ("id", "owner", "product", "steps", "priority", "due", "group", "node", "rules")
WAITING = """
    SELECT l.id, o.entity_id::bigint, l.product_id::bigint, (l.waiting * 1000)::bigint,
        o.priority::bigint, (o.requested_date - date '0001-01-01' + 1)::bigint, o.id,
        coalesce(l.node_id, 0)::bigint, (o.ship_complete::int + 4 * o.no_split::int)::bigint
    FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
    WHERE l.waiting > 0 AND o.state = 'released'
"""
TOTALS = """
    UPDATE orders_orderline l
    SET reserved = l.reserved + g.steps * 0.001, promised_date = %(day)s,
        first_promised_date = coalesce(l.first_promised_date, %(day)s)
    FROM unnest(%(ids)s::text::bigint[], %(steps)s::text::bigint[]) AS g (id, steps)
    WHERE l.id = g.id
"""
STOCK = """
    SELECT s.id, s.product_id::bigint, s.node_id::bigint,
        ((s.on_hand - s.reserved) * 1000)::bigint
    FROM inventory_stock s WHERE s.status = 'available' AND s.on_hand > s.reserved
"""


class World:
    """Orders cloned from one that was entered, over products that lie at five nodes."""

    def __init__(self, lines: int) -> None:
        now = datetime.now(UTC)
        self.entity = create_entity(code="BENCH", name="Bench", currency="USD", country="US")
        drafts = [
            NodeDraft(code=f"N{n}", name=f"N{n}", entity_id=self.entity.pk, country="US")
            for n in range(NODES)
        ]
        upsert_nodes(drafts=drafts, actor=None, now=now)
        goods = [
            ProductDraft(code=f"P{n:06d}", name=f"Product {n}")
            for n in range(max(lines // PER_PRODUCT, PER_ORDER))
        ]
        for begin in range(0, len(goods), 1000):
            upsert_products(drafts=goods[begin : begin + 1000], actor=None, now=now)
        self.products = sorted(codes("inventory_product").values())
        self.nodes = sorted(codes("inventory_node").values())
        self._template(now)

    def fill(self, lines: int) -> None:
        """Have so many lines wait, over as many products as befit them."""
        execute("TRUNCATE inventory_stock, orders_promisechange CASCADE")
        execute(
            "DELETE FROM orders_orderline l USING orders_order o"
            " WHERE o.id = l.order_id AND o.id <> %s",
            [self.template],
        )
        execute("DELETE FROM orders_order WHERE id <> %s", [self.template])
        self._clone(lines)
        self._stock()
        execute("ANALYZE")

    def _template(self, now: datetime) -> None:
        buyer = CustomerRow(
            code="C1",
            name="Customer",
            address="1 Dock Road",
            city="X",
            country="US",
            postal_code="1",
        )
        upsert_customers(rows=[buyer], actor=None, now=now)
        customer = codes("orders_customer")["C1"]
        account = AccountRow(
            entity_id=self.entity.pk,
            customer_id=customer,
            currency="USD",
            credit_limit=Decimal(10**9),
        )
        upsert_accounts(rows=[account], actor=None, now=now)
        prices = [
            PriceRow(
                entity_id=self.entity.pk,
                product_id=product,
                currency="USD",
                unit_price=Decimal("12.34"),
                valid_from=date(2020, 1, 1),
            )
            for product in self.products[:PER_ORDER]
        ]
        upsert_prices(rows=prices, actor=None, now=now)
        lines = [LineDraft(product_id=p, quantity=Decimal(1)) for p in self.products[:PER_ORDER]]
        draft = OrderDraft(
            entity_id=self.entity.pk, customer_id=customer, channel="api", lines=lines
        )
        self.template = create_orders(drafts=[draft], actor=None, now=now)[0].id

    def _clone(self, lines: int) -> None:
        own = {"number": "'B-' || g", "priority": "10 + (g * 7919) %% 50", "state": "'released'"}
        own |= {"requested_date": "date '2026-12-01' + (g %% 20)::int", "client_key": "NULL"}
        own |= {"submitted_at": "o.created_at", "released_at": "o.created_at"}
        orders = -(-lines // PER_ORDER)
        _copy_rows(
            "orders_order", own, f"generate_series(1, {orders}) AS g", f"o.id = {self.template}"
        )
        own = {
            "order_id": "b.id",
            "product_id": "(%(products)s::bigint[])[1 + (b.id * 7 + o.position * 2654435 + "
            "(b.id * b.id) %% 104729) %% %(count)s]",
            "quantity": "1 + (b.id * 31 + o.position * 17) %% 19",
            "uom_quantity": "1 + (b.id * 31 + o.position * 17) %% 19",
        }
        _copy_rows(
            "orders_orderline",
            own,
            "orders_order AS b",
            f"o.order_id = {self.template} AND b.number LIKE 'B-%%'",
            products=self.products,
            count=max(lines // PER_PRODUCT, PER_ORDER),
        )

    def _stock(self) -> None:
        execute(
            """
            INSERT INTO inventory_stock (entity_id, node_id, product_id, status, on_hand, reserved)
            SELECT %(entity)s, n.id, w.product_id, 'available',
                greatest(floor(w.quantity * 0.6 / %(nodes)s), 1), 0
            FROM (
                SELECT product_id, sum(quantity) AS quantity
                FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
                WHERE o.state = 'released' GROUP BY product_id
            ) AS w CROSS JOIN inventory_node n
            """,
            {"entity": self.entity.pk, "nodes": NODES},
        )

    def undo(self) -> None:
        """Make everything wait again."""
        execute("UPDATE inventory_stock SET reserved = 0")
        execute(
            "UPDATE orders_orderline SET reserved = 0, promised_date = NULL,"
            " first_promised_date = NULL WHERE reserved > 0"
        )
        execute(
            "TRUNCATE inventory_reservation, inventory_allocationdecision, orders_promisechange"
            " CASCADE"
        )
        execute("VACUUM ANALYZE inventory_stock, orders_orderline")
        execute("CHECKPOINT")


def by_product(world: World) -> int:
    """Allocate what waits with everything on; return how many steps were given."""
    now = datetime.now(UTC)
    with transaction.atomic():
        wants = Wants(**copy_out(WAITING, NAMES))
        facts = {"cause": "bench", "demands": len(wants)}
        question = Question(world.entity.pk, "inventory.run", 0, facts)
        decided = decide(policy="inventory.allocation", questions=[question], now=now, keep=False)[
            0
        ]
        numbers = dict(rows("SELECT id, number FROM orders_order"))
        groups = wants.group.tolist()
        labels = {
            line: numbers[group] for line, group in zip(wants.id.tolist(), groups, strict=True)
        }
        about = {
            "kind": "orders.line",
            "cause": "bench",
            "policy_version": decided.policy_version,
        }
        _, made = allocate_wants(
            wants=wants,
            labels=labels,
            policy=policy_of(decided.outcome, today=now.date().toordinal()),
            about=about,
            now=now,
        )
        got = made.given > 0
        _totals(wants.id[made.line[got]], made.given[got])
    return int(made.given.sum())


def by_hand(world: World) -> int:
    """The floor: the same rows by COPY and numpy, without reasons, policy or verifier."""
    now = datetime.now(UTC).isoformat()
    with transaction.atomic():
        lines = copy_out(WAITING, NAMES)
        stock = copy_out(STOCK, ("id", "product", "node", "steps"))
        execute("SELECT id FROM inventory_stock ORDER BY id FOR UPDATE")
        order = np.lexsort((lines["id"], lines["due"], lines["priority"], lines["product"]))
        product, want = lines["product"][order], lines["steps"][order]
        rank = np.lexsort((stock["node"], stock["product"]))
        line, row, gets = shared_out(product, want, stock["product"][rank], stock["steps"][rank])
        ids, stocks = lines["id"][order][line], stock["id"][rank][row]
        given = np.zeros(len(order), np.int64)
        np.add.at(given, line, gets)
        listed = zip(stocks.tolist(), ids.tolist(), gets.tolist(), strict=True)
        copy_in(
            "inventory_reservation",
            ("stock_id", "demand_kind", "demand_id", "quantity", "created_at", "closed_as"),
            (f"{s}\torders.line\t{d}\t{decimal(q)}\t{now}\t\n" for s, d, q in listed),
        )
        used = np.zeros(len(rank), np.int64)
        np.add.at(used, row, gets)
        execute(
            """
            UPDATE inventory_stock s SET reserved = s.reserved + t.steps * 0.001
            FROM unnest(%(ids)s::text::bigint[], %(steps)s::text::bigint[]) AS t (id, steps)
            WHERE s.id = t.id
            """,
            {
                "ids": array(stock["id"][rank][used > 0].tolist()),
                "steps": array(used[used > 0].tolist()),
            },
        )
        run_id = rows(
            "INSERT INTO inventory_allocationrun (at, cause, policy_version, demands, asked, given,"
            " milliseconds, certificate) VALUES (now(), 'floor', '', 0, 0, 0, 0, '{}') RETURNING id"
        )[0][0]
        seen = ",".join(f'["N{n}",12000,0,"taken"]' for n in range(NODES))
        listed = zip(
            lines["id"][order].tolist(),
            product.tolist(),
            want.tolist(),
            given.tolist(),
            strict=True,
        )
        copy_in(
            "inventory_allocationdecision",
            (
                *("run_id", "demand_kind", "demand_id", "demand_label", "entity_id"),
                *("product_id", "asked", "given", "outcome", "candidates", "flip"),
            ),
            (
                f"{run_id}\torders.line\t{i}\tB-00000\t{world.entity.pk}\t{p}\t{decimal(w)}"
                f"\t{decimal(g)}\tpartial\t[{seen}]\t3 more of P000000 at N1\n"
                for i, p, w, g in listed
            ),
        )
        _totals(lines["id"][order][given > 0], given[given > 0])
    return int(given.sum())


def shared_out(product: Any, want: Any, shelf: Any, held: Any) -> tuple[Any, Any, Any]:
    """Lay wants and stock of each product end to end; what overlaps is given."""
    wanted = np.cumsum(want)
    before = np.where(product[1:] != product[:-1], wanted[:-1], 0)
    base = np.maximum.accumulate(np.concatenate([[0], before]))
    have = np.cumsum(held)
    below = np.where(shelf[1:] != shelf[:-1], have[:-1], 0)
    floor = np.maximum.accumulate(np.concatenate([[0], below]))
    span = int(max(wanted[-1], have[-1])) + 1
    end = product * span + (wanted - base)
    top = shelf * span + (have - floor)
    cuts = np.unique(np.concatenate([end, end - want, top, top - held]))
    low, high = cuts[:-1], cuts[1:]
    line = np.searchsorted(end, high, "left")
    row = np.searchsorted(top, high, "left")
    real = (line < len(end)) & (row < len(top))
    line, row, low, high = line[real], row[real], low[real], high[real]
    real = (end[line] - want[line] <= low) & (top[row] - held[row] <= low)
    line, row, gets = line[real], row[real], (high - low)[real]
    same = np.concatenate([[True], (line[1:] != line[:-1]) | (row[1:] != row[:-1])])
    starts = np.flatnonzero(same)
    return line[starts], row[starts], np.add.reduceat(gets, starts)


def _totals(ids: Any, steps: Any) -> None:
    execute(TOTALS, {"day": DUE, "ids": array(ids.tolist()), "steps": array(steps.tolist())})


def _copy_rows(table: str, own: dict[str, str], source: str, where: str, **params: Any) -> None:
    columns = [
        row[0]
        for row in rows(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
            " AND is_generated = 'NEVER' AND column_name <> 'id'",
            [table],
        )
    ]
    said = ", ".join(own.get(column, f"o.{column}") for column in columns)
    listed = ", ".join(columns)
    execute(
        f"INSERT INTO {table} ({listed}) SELECT {said} FROM {table} o, {source} WHERE {where}",  # noqa: S608
        {"x": 0, **params},
    )


def run(*, lines: int = 50_000, **_more: Any) -> dict[str, object]:
    """Allocate `lines`, and every tenth of it down to 5,000 for the growth."""
    sizes = [lines]
    while sizes[-1] // 10 >= FIRST:
        sizes.append(sizes[-1] // 10)
    world = World(lines)
    measured = {size: _measured(world, size) for size in sorted(sizes)}
    growth = [
        math.log(measured[large]["product"] / measured[small]["product"]) / math.log(large / small)
        for small, large in zip(sizes[1:], sizes, strict=False)
    ]
    best = measured[lines]
    return {
        "product": round(lines / best["product"], 1),
        "floor": round(lines / best["floor"], 1),
        "ratio": round(best["floor"] / best["product"], 3),
        "unit": "lines/s",
        "rows_per_s": round(lines / best["product"], 1),
        "cpu_ms": round(1000 * best["cpu"] / lines, 4),
        "floor_cpu_ms": round(1000 * best["floor_cpu"] / lines, 4),
        "growth": round(sum(growth) / len(growth), 3) if growth else None,
        "worst_growth": round(max(growth), 3) if growth else None,
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "lines": lines,
        "given_share": best["share"],
        "sizes": {
            size: {name: round(value, 3) for name, value in each.items()}
            for size, each in measured.items()
        },
        "setup": f"1 client, {PER_ORDER} lines an order, {NODES} nodes, supply 60 %, one commit",
    }


def _measured(world: World, lines: int) -> dict[str, float]:
    """Return the seconds of the quicker of some turns of each way."""
    world.fill(lines)
    best: dict[str, float] = {}
    asked = rows(
        "SELECT sum(waiting) FROM orders_orderline l JOIN orders_order o"
        " ON o.id = l.order_id WHERE o.state = 'released'"
    )[0][0]
    for turn in range(2 if lines > 100_000 else 4):
        for name, way in (("product", by_product), ("floor", by_hand)):
            clock, burnt = time.perf_counter(), time.process_time()
            given = way(world)
            took, cpu = time.perf_counter() - clock, time.process_time() - burnt
            world.undo()
            if turn == 0 and lines <= 100_000:
                continue  # the first warms caches and plans
            if took < best.get(name, math.inf):
                best[name] = took
                best["cpu" if name == "product" else "floor_cpu"] = cpu
            best["share"] = float(Decimal(given) / 1000 / asked)
    return best
