"""What the allocation layer decided, and why."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from erp.kernel.sql import records
from inventory.rules import Mode, Rejection, Rule, from_steps
from inventory.selectors._elsewhere import ElsewhereRow, elsewhere_of, told_flip

RUNS = """
    SELECT r.id, r.at, r.cause, r.policy_version, r.milliseconds, d.lines, d.short, d.asked, d.given
    FROM inventory_allocationrun r
    CROSS JOIN LATERAL (
        SELECT count(*) AS lines, count(*) FILTER (WHERE d.outcome <> 'full') AS short,
            sum(d.asked) AS asked, sum(d.given) AS given
        FROM inventory_allocationdecision d
        WHERE d.run_id = r.id AND d.entity_id = ANY(%(entities)s)
    ) d
    WHERE d.lines > 0 {narrowed}
    ORDER BY r.id DESC
    LIMIT %(limit)s
"""

DECISIONS = """
    SELECT d.id, d.run_id, r.at, r.cause, r.policy_version, d.demand_kind, d.demand_id,
        d.demand_label AS label, e.code AS entity, p.code AS product, p.name, p.base_uom AS uom,
        d.asked, d.given, d.outcome, d.candidates, d.flip, d.dropped, s.candidates AS elsewhere,
        coalesce(s.flip, '') AS elsewhere_flip, coalesce(s.currency, '') AS currency
    FROM inventory_allocationdecision d
    JOIN inventory_allocationrun r ON r.id = d.run_id
    JOIN inventory_product p ON p.id = d.product_id
    JOIN accounts_entity e ON e.id = d.entity_id
    LEFT JOIN inventory_sourcingdecision s ON s.run_id = d.run_id AND s.demand_id = d.demand_id
        AND s.demand_kind = d.demand_kind
    WHERE {which}
    ORDER BY d.id {direction}
    LIMIT %(limit)s
"""


WHY = {
    Rejection.CLOSED: _("The node is closed"),
    Rejection.NOT_ALLOWED: _("The line may not be served from here"),
    Rejection.EMPTY: _("Nothing was free"),
    Rejection.TAKEN: _("Lines before it took what was free"),
    Rejection.NOT_NEEDED: _("Another node gave it all"),
    Rejection.SPLIT: _("The order leaves from one node, and this is not it"),
    Rejection.INCOMPLETE: _("The order leaves complete or not at all"),
    Rejection.TOO_OLD: _("It would not keep long enough"),
    Rejection.NO_SUBSTITUTE: _("Nothing else may be sent instead"),
    Rejection.NEEDS_CONSENT: _("The customer has to agree to it first"),
    Rejection.PROTECTED: _("What is left is kept for others"),
    Rejection.AT_CAPACITY: _("The node has no hands left for it that day"),
    Rejection.SPLIT_TOO_SMALL: _("A part so small is not worth a parcel"),
    Rejection.NOT_WORTH_IT: _("Waiting costs less"),
    Rejection.SHARED: _("The line has its fair share"),
    Rejection.POLICY: _("The policy does not allow it"),
    Rejection.UNPRICED: _("Nobody can say what it costs"),
}
DROPPED = {
    Rule.SHIP_COMPLETE: _("That the order leaves complete"),
    Rule.LINE_COMPLETE: _("That the line leaves complete"),
    Rule.NO_SPLIT: _("That it leaves from one node"),
    Rule.NODES_MAX: _("From how many nodes it leaves"),
    Rule.NO_SUBSTITUTES: _("That nothing else is sent"),
    Rule.ONLY_NODES: _("Which places it leaves from"),
    Rule.FRESH: _("How long it keeps"),
}


@dataclass(frozen=True, slots=True)
class RunRow:
    """One pass over demand; lines and quantities are those of the entities that ask."""

    id: int
    at: datetime
    cause: str
    policy_version: str
    milliseconds: int
    lines: int
    short: int
    asked: Decimal
    given: Decimal


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """One node as the decision saw it, in base units; `rejected` is empty where it took some.

    `mode` says how it would have come where it is not the node's own stock, `product` what it is.
    """

    node: str
    available: Decimal
    taken: Decimal
    rejected: str
    mode: str = ""
    product: str = ""

    @property
    def why(self) -> str:
        """Why it gave no more, in words."""
        return str(WHY[Rejection(self.rejected)]) if self.rejected else ""

    @property
    def instead(self) -> str:
        """What it would be in place of what was asked for, where it is another product."""
        return self.product if self.mode == Mode.SUBSTITUTE.name.lower() else ""


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """The receipt of one demand line. `flip` would have given the rest; `outcome` sums it up.

    `elsewhere` are the ways beyond the shelf that were weighed for what it could not give, and
    `elsewhere_flip` what would have changed the choice among them.
    """

    id: int
    run_id: int
    at: datetime
    cause: str
    policy_version: str
    demand_kind: str
    demand_id: int
    label: str
    entity: str
    product: str
    name: str
    uom: str
    asked: Decimal
    given: Decimal
    outcome: str
    candidates: Sequence[CandidateRow]
    flip: str
    dropped: Sequence[str]
    elsewhere: Sequence[ElsewhereRow] = ()
    elsewhere_flip: str = ""


@dataclass(frozen=True, slots=True)
class RunPage:
    """A run and a page of its receipts, in the order of rank."""

    head: RunRow
    decisions: Sequence[DecisionRow]


def runs(
    *,
    entity_ids: Collection[int],
    only_short: bool = False,
    after: int | None = None,
    limit: int = 100,
) -> list[RunRow]:
    """Return the runs that decided for these entities, newest first, `after` an id. One query."""
    narrowed = ["AND d.short > 0"] if only_short else []
    if after is not None:
        narrowed.append("AND r.id < %(after)s")
    statement = RUNS.format(narrowed=" ".join(narrowed))
    params = {"entities": sorted(entity_ids), "after": after, "limit": limit}
    return [RunRow(**row) for row in records(statement, params)]


def run_page(
    *,
    run_id: int,
    entity_ids: Collection[int],
    only_short: bool = False,
    after: int | None = None,
    limit: int = 100,
) -> RunPage | None:
    """Return one run with receipts `after` an id; None if it decided nothing for the entities."""
    head = runs(entity_ids=entity_ids, after=run_id + 1, limit=1)
    if not head or head[0].id != run_id:
        return None
    which = "d.run_id = %(run)s AND d.entity_id = ANY(%(entities)s)"
    if only_short:
        which += " AND d.outcome <> 'full'"
    if after is not None:
        which += " AND d.id > %(after)s"
    params = {"run": run_id, "entities": sorted(entity_ids), "after": after, "limit": limit}
    return RunPage(head[0], _decisions(which, "ASC", params))


def receipts_of_demand(
    *, kind: str, ids: Collection[int], entity_ids: Collection[int], limit: int = 100
) -> list[DecisionRow]:
    """Return every decision about these demands, newest first. One query."""
    which = "d.demand_id = ANY(%(ids)s) AND d.demand_kind = %(kind)s"
    which += " AND d.entity_id = ANY(%(entities)s)"
    params = {"kind": kind, "ids": list(ids), "entities": sorted(entity_ids), "limit": limit}
    return _decisions(which, "DESC", params)


def decisions_of_product(
    *, product_id: int, entity_ids: Collection[int], limit: int = 20
) -> list[DecisionRow]:
    """Return the latest decisions about a product, newest first. One query."""
    which = "d.product_id = %(product)s AND d.entity_id = ANY(%(entities)s)"
    params = {"product": product_id, "entities": sorted(entity_ids), "limit": limit}
    return _decisions(which, "DESC", params)


def _decisions(which: str, direction: str, params: Mapping[str, Any]) -> list[DecisionRow]:
    statement = DECISIONS.format(which=which, direction=direction)
    known = set(params["entities"])
    return [
        DecisionRow(
            **row
            | {
                "candidates": candidates_of(row["candidates"]),
                "dropped": dropped_of(row["dropped"]),
                "elsewhere_flip": told_flip(row["elsewhere_flip"], row["elsewhere"], known),
                "elsewhere": elsewhere_of(row["elsewhere"], row.pop("currency"), known),
            }
        )
        for row in records(statement, params)
    ]


def candidates_of(stored: Any) -> list[CandidateRow]:
    """Return the candidates of a receipt as it stores them."""
    listed = json.loads(stored) if isinstance(stored, str) else stored
    return [_candidate(*each) for each in listed]


def dropped_of(stored: int) -> list[str]:
    """Return in words the soft rules that a decision did not keep."""
    return [str(words) for rule, words in DROPPED.items() if stored & rule]


def _candidate(  # noqa: PLR0917  as it is stored
    node: str, free: int, taken: int, why: str | None = "", mode: int = 0, product: str = ""
) -> CandidateRow:
    way = Mode(mode).name.lower() if mode else ""
    return CandidateRow(node, _units(free), _units(taken), why or "", way, product)


def _units(steps: int) -> Decimal:
    """Return so many thousandths without zeros behind: 3 and 2.5."""
    return Decimal(f"{from_steps(steps).normalize():f}")
