"""Writes down what was decided: the run, what is kept, the balances, a receipt for each line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import orjson

from erp.kernel.copying import array, copy_in, decimal, escaped
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows, run
from inventory.rules import PER_UNIT, REASONS, Gap, Mode, Plan

FLIP_LENGTH = 300
RECEIPTS_AT_ONCE = 20_000
COPIED_FROM = 50_000  # lines: below that one statement does

RESERVE = Prepared("""
    WITH piece AS (
        SELECT demand_id, stock_id, steps * 0.001 AS quantity
        FROM unnest(%(demands)s::bigint[], %(stocks)s::bigint[], %(steps)s::bigint[])
            AS piece (demand_id, stock_id, steps)
    ), balance AS (
        UPDATE inventory_stock s SET reserved = s.reserved + taken.quantity
        FROM (SELECT stock_id, sum(quantity) AS quantity FROM piece GROUP BY stock_id) taken
        WHERE s.id = taken.stock_id
    ), kept AS (
        INSERT INTO inventory_reservation AS r
            (stock_id, demand_kind, demand_id, quantity, created_at, closed_as)
        SELECT stock_id, %(kind)s, demand_id, quantity, %(now)s, '' FROM piece
        ON CONFLICT (demand_id, demand_kind, stock_id) WHERE closed_at IS NULL
            DO UPDATE SET quantity = r.quantity + excluded.quantity
    ), run AS (
        INSERT INTO inventory_allocationrun
            (at, cause, policy_version, demands, asked, given, milliseconds, certificate)
        VALUES (%(now)s, %(cause)s, %(policy_version)s, cardinality(%(lines)s::bigint[]),
            %(asked)s * 0.001, %(given)s * 0.001, %(milliseconds)s, %(certificate)s::jsonb)
        RETURNING id
    ), decided AS (
        INSERT INTO inventory_allocationdecision
            (run_id, demand_kind, demand_id, demand_label, entity_id, product_id, asked, given,
            outcome, candidates, flip, dropped)
        SELECT run.id, %(kind)s, line, label, entity, product, asked * 0.001, given * 0.001,
            CASE WHEN given = asked THEN 'full' WHEN given > 0 THEN 'partial' ELSE 'none' END,
            candidates, flip, dropped
        FROM run, unnest(
            %(lines)s::bigint[], %(labels)s::text[], %(line_entities)s::bigint[],
            %(line_products)s::bigint[], %(line_asked)s::bigint[], %(line_given)s::bigint[],
            %(candidates)s::jsonb[], %(flips)s::text[], %(dropped)s::int[]
        ) AS verdict (line, label, entity, product, asked, given, candidates, flip, dropped)
    )
    SELECT id FROM run
""")


RUN = """
    INSERT INTO inventory_allocationrun
        (at, cause, policy_version, demands, asked, given, milliseconds, certificate)
    VALUES (%(now)s, %(cause)s, %(policy_version)s, %(lines)s,
        %(asked)s * 0.001, %(given)s * 0.001, %(milliseconds)s, %(certificate)s::jsonb)
    RETURNING id
"""
BALANCE = """
    UPDATE inventory_stock s SET reserved = s.reserved + taken.steps * 0.001
    FROM unnest(%(stocks)s::text::bigint[], %(steps)s::text::bigint[]) AS taken (id, steps)
    WHERE s.id = taken.id
"""
HELD = """
    UPDATE inventory_reservation r SET quantity = r.quantity + piece.steps * 0.001
    FROM unnest(
        %(demands)s::text::bigint[], %(stocks)s::text::bigint[], %(steps)s::text::bigint[]
    ) AS piece (demand_id, stock_id, steps)
    WHERE r.demand_id = piece.demand_id AND r.stock_id = piece.stock_id
        AND r.demand_kind = %(kind)s AND r.closed_at IS NULL
    RETURNING r.demand_id, r.stock_id
"""
ANY_HELD = """
    SELECT EXISTS (
        SELECT FROM inventory_reservation
        WHERE demand_kind = %(kind)s AND closed_at IS NULL
            AND demand_id BETWEEN %(first)s AND %(last)s
    )
"""
KEPT_COLUMNS = ("stock_id", "demand_kind", "demand_id", "quantity", "created_at", "closed_as")
RECEIPT_COLUMNS = (
    "run_id",
    "demand_kind",
    "demand_id",
    "demand_label",
    "entity_id",
    "product_id",
    "asked",
    "given",
    "outcome",
    "candidates",
    "flip",
    "dropped",
)


@dataclass(slots=True)
class Names:
    """What people call products and nodes, by id.

    `is_bound`: a node has only so many hands. `is_kept`: something is kept for somebody.
    """

    products: dict[int, str]
    nodes: dict[int, str]
    is_bound: bool = False
    is_kept: bool = False


def write_plan(
    made: Plan,
    names: Names,
    labels: Mapping[int, str],
    certificate: Mapping[str, Any],
    about: Mapping[str, Any],
) -> int:
    """Write a plan down; return the run's id. The rows are the same however many there are."""
    wants, line = made.demand, made.line
    kept = made.menus.mode[made.entry[made.taking]] == int(Mode.STOCK)
    params = {
        **about,
        "certificate": orjson.dumps(certificate).decode(),
        "asked": int(wants.steps.sum()),
        "given": int(made.given.sum()),
        "demands": wants.id[line[made.taker]][kept].tolist(),
        "stocks": made.supply.id[made.taken_from][kept].tolist(),
        "steps": made.taken[made.taking][kept].tolist(),
    }
    writer = _Receipts(made, names, labels)
    if len(wants) < COPIED_FROM:
        return int(rows(RESERVE, {**params, **writer.columns(0, len(wants))})[0][0])
    return _copied(made, writer, {**params, "lines": len(wants)})


class _Receipts:
    """Words the receipts of a plan, some lines at a time: places are in the order of serving."""

    def __init__(self, made: Plan, names: Names, labels: Mapping[int, str]) -> None:
        self.made, self.names, self.labels = made, names, labels
        codes = [names.nodes.get(node, "") for node in made.menus.nodes.tolist()]
        self.head = ["[" + orjson.dumps(code).decode() + "," for code in codes]
        self.tail = ["]" if reason is None else f',"{reason}"]' for reason in REASONS]
        self.bound = np.repeat(made.turns.is_bound, made.turns.size)

    def columns(self, begin: int, end: int) -> dict[str, list[Any]]:
        """Return the columns of the receipts of some lines."""
        made, wants = self.made, self.made.demand
        line = made.line[begin:end]
        ids = wants.id[line].tolist()
        return {
            "lines": ids,
            "labels": [self.labels[each] for each in ids],
            "line_entities": wants.owner[line].tolist(),
            "line_products": wants.product[line].tolist(),
            "line_asked": wants.steps[line].tolist(),
            "line_given": made.given[begin:end].tolist(),
            "candidates": self.candidates(begin, end),
            "flips": self.flips(begin, end),
            "dropped": made.dropped[begin:end].tolist(),
        }

    def candidates(self, begin: int, end: int) -> list[str]:
        """Return each line's candidates as JSON: [node, steps free then, taken, why not more].

        The last stands only where nothing was taken; what is no stock of the product itself goes on
        with the mode and the product.
        """
        made, head, tail = self.made, self.head, self.tail
        at = made.at[begin : end + 1]
        part = slice(int(at[0]), int(at[-1]))
        node = made.menus.node[made.entry[part]]
        columns = (node, made.seen[part], made.taken[part], made.reason[part])
        listed = zip(*(column.tolist() for column in columns), strict=True)
        if made.menus.has_modes:
            listed = zip(*(column.tolist() for column in columns), self.others(part), strict=True)
            parts = [
                f"{head[node]}{seen},{taken}{tail[why]}"
                if not other
                else f"{head[node]}{seen},{taken}{(tail[why][:-1] or ',null')}{other}"
                for node, seen, taken, why, other in listed
            ]
        else:
            parts = [f"{head[node]}{seen},{taken}{tail[why]}" for node, seen, taken, why in listed]
        return [f"[{','.join(parts[a:b])}]" for a, b in pairwise((at - at[0]).tolist())]

    def others(self, part: slice) -> list[str]:
        """Return the end of each candidate that is not the product's own stock; others: nothing."""
        made, entry = self.made, self.made.entry[part]
        product = made.supply.product[made.menus.supply[entry]].tolist()
        codes = self.names.products
        return [
            f",{mode},{orjson.dumps(codes.get(each, '')).decode()}]" if mode else ""
            for mode, each in zip(made.menus.mode[entry].tolist(), product, strict=True)
        ]

    def flips(self, begin: int, end: int) -> list[str]:
        """Return for each line the smallest change that would have given it the rest."""
        made, names, part = self.made, self.names, slice(begin, end)
        product = made.demand.product[made.line[part]]
        short = made.given[part] < made.demand.steps[made.line[part]]
        bound = self.bound[part]
        texts = [""] * (end - begin)
        columns = (np.arange(end - begin), product, made.lack_node[part], made.lack[part])
        free = (column[short & ~bound].tolist() for column in columns)
        for place, made_of, node, lack in zip(*free, strict=True):
            at = f" at {names.nodes[node]}" if node in names.nodes else ""
            texts[place] = f"{plain(lack)} more of {names.products[made_of]}{at}"
        for place in np.flatnonzero(short & bound).tolist():
            texts[place] = flip(made.gaps(begin + place), names)
        return texts


def flip(gaps: tuple[Gap, ...], names: Names) -> str:
    """Return gaps as a sentence: "3 more of P-1 at DC-EAST and 1 more of P-2"."""
    parts = [
        f"{plain(gap.steps)} more of {names.products[gap.product]}"
        + (f" at {names.nodes[gap.node]}" if gap.node in names.nodes else "")
        for gap in gaps
    ]
    text = " and ".join(parts)
    if len(text) <= FLIP_LENGTH:
        return text
    return f"{parts[0]} and {len(parts) - 1} other shortages"


def plain(steps: int) -> str:
    """Return so many thousandths as people write them: "2.5"."""
    units, rest = divmod(steps, PER_UNIT)
    return f"{units}.{rest:03d}".rstrip("0") if rest else str(units)


def _copied(made: Plan, writer: _Receipts, params: Mapping[str, Any]) -> int:
    """Write a large plan: the run, the pieces, the balances and the receipts, each at once."""
    run_id = int(rows(RUN, params)[0][0])
    pieces = list(zip(params["demands"], params["stocks"], params["steps"], strict=True))
    held = _added(pieces, params)
    now, kind = params["now"].isoformat(), escaped(params["kind"])
    copy_in(
        "inventory_reservation",
        KEPT_COLUMNS,
        (
            f"{stock}\t{kind}\t{demand}\t{decimal(steps)}\t{now}\t\n"
            for demand, stock, steps in pieces
            if not held or (demand, stock) not in held
        ),
    )
    stocks, at = np.unique(np.array(params["stocks"], np.int64), return_inverse=True)
    spent = np.zeros(len(stocks), np.int64)
    np.add.at(spent, at, params["steps"])
    run(BALANCE, dict(zip(("stocks", "steps"), map(array, (stocks, spent)), strict=True)))
    for begin in range(0, params["lines"], RECEIPTS_AT_ONCE):
        end = min(begin + RECEIPTS_AT_ONCE, params["lines"])
        lines = _receipts(run_id, kind, writer.columns(begin, end))
        copy_in("inventory_allocationdecision", RECEIPT_COLUMNS, lines)
    return run_id


def _added(pieces: list[tuple[int, int, int]], params: Mapping[str, Any]) -> set[tuple[int, int]]:
    """Add to what the demands hold of the same balances already; return those pieces."""
    ids = params["demands"]
    if not pieces:
        return set()
    between = {"kind": params["kind"], "first": min(ids), "last": max(ids)}
    if not rows(ANY_HELD, between)[0][0]:
        return set()
    demands, stocks, steps = map(array, zip(*pieces, strict=True))
    asked = {"kind": params["kind"], "demands": demands, "stocks": stocks, "steps": steps}
    return set(rows(HELD, asked))


def _receipts(run_id: int, kind: str, columns: Mapping[str, list[Any]]) -> Iterator[str]:
    names = ("lines", "labels", "line_entities", "line_products", "line_asked", "line_given")
    listed = (columns[name] for name in (*names, "candidates", "flips", "dropped"))
    for line, label, entity, product, asked, given, seen, text, gone in zip(*listed, strict=True):
        outcome = "full" if given == asked else "partial" if given else "none"
        yield (
            f"{run_id}\t{kind}\t{line}\t{escaped(label)}\t{entity}\t{product}\t{decimal(asked)}"
            f"\t{decimal(given)}\t{outcome}\t{escaped(seen)}\t{escaped(text)}\t{gone}\n"
        )
