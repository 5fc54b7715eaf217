"""Keeps stock for demand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from time import perf_counter

import numpy as np
from django.db import transaction

from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from erp.outbox.publishing import publish_all
from inventory.rules import (
    NEVER,
    Consent,
    Mode,
    Plan,
    Policy,
    Rule,
    Sources,
    Wants,
    as_steps,
    certify,
    from_steps,
    plan,
)
from inventory.rules.allocation.columns import Ints
from inventory.services._handling import hands
from inventory.services._lacking import Lacks, lacks_of
from inventory.services._offering import Offer, offers_of
from inventory.services._reserving import Names, write_plan
from inventory.services._telling import fallen
from inventory.services.protecting._applying import note_segments, with_protection


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one demand line still wants, in base units. Lower `priority` goes first.

    Lines of one `group_id` (the order) share `ship_complete` (all of the group or nothing) and
    `no_split` (one node for the group): pass all lines of such a group that still want something.
    `label` is what people call the demand (the order's number): the receipt shows it.
    It leaves from at most `nodes_max` nodes (0: any), out of lots that keep to `fresh_until`;
    another product goes out for it as `no_substitutes` and `consent` say. Of what it insists on,
    `soft` is tried first, then dropped and said so. What is kept for its segment (0: none) is
    for it.
    """

    kind: str
    id: int
    entity_id: int
    product_id: int
    quantity: Decimal
    node_id: int | None
    priority: int
    due: date
    group_id: int
    ship_complete: bool = False
    no_split: bool = False
    label: str = ""
    nodes_max: int = 0
    fresh_until: date | None = None
    no_substitutes: bool = False
    consent: Consent = Consent.ASK
    soft: Rule = Rule.NONE
    segment_id: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """So much of one stock row, now kept for one demand."""

    demand_id: int
    stock_id: int
    node_id: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Exchange:
    """So much of another product's stock row that goes out for a demand; nothing is kept of it yet.

    `quantity` is of what was asked for, `other_quantity` of the other product, in base units.
    """

    demand_id: int
    stock_id: int
    node_id: int
    product_id: int
    quantity: Decimal
    other_quantity: Decimal


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a run gave: by demand (zero where nothing could be given), and out of which rows.

    `exchanges` are part of what was given. Their rows are locked: whoever asked makes demand of
    them and has it kept (`keep_exchanges`), or they stay free. `offers` are other products that
    are still free at the end, by demand, of which the customer has to be asked. `lacks` is what is
    to be looked for elsewhere (`weigh_outside`).
    """

    run_id: int
    given: dict[int, Decimal]
    pieces: list[Piece]
    exchanges: list[Exchange] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    lacks: Lacks | None = None


NOTHING: tuple[int, date | None] = (0, None)
# Rows without anything left are read but not locked, lots that are used up not even read. What a
# row holds is taken from the locked version, which is the newest even if the statement had to wait
# for it. Nothing is taken of what expired or is blocked. What is locked comes as rows of its own: a
# join would be planned for few, and run once for each of many products.
LOCK = Prepared("""
    WITH wanted AS (
        SELECT DISTINCT entity_id, product_id
        FROM unnest(%(entities)s::bigint[], %(products)s::bigint[]) AS w (entity_id, product_id)
    ), locked AS MATERIALIZED (
        SELECT s.id, ((s.on_hand - s.reserved) * 1000)::bigint AS steps, s.expires_on
        FROM inventory_stock s
        JOIN wanted w ON w.product_id = s.product_id AND w.entity_id = s.entity_id
        WHERE s.status = 'available' AND s.on_hand > s.reserved AND NOT s.is_barred
            AND (s.expires_on IS NULL OR s.expires_on >= %(today)s)
        ORDER BY s.id
        FOR NO KEY UPDATE OF s
    )
    SELECT w.entity_id, w.product_id, p.code, s.id, s.node_id, n.code, n.is_active,
        NULL::bigint, NULL::date, n.lines_per_day IS NOT NULL,
        (SELECT EXISTS (SELECT FROM inventory_protection))
    FROM wanted w
    JOIN inventory_product p ON p.id = w.product_id
    LEFT JOIN inventory_stock s ON s.product_id = w.product_id AND s.entity_id = w.entity_id
        AND s.status = 'available' AND (s.lot_id IS NULL OR s.on_hand > 0)
    LEFT JOIN inventory_node n ON n.id = s.node_id
    UNION ALL
    SELECT NULL, NULL, NULL, id, NULL, NULL, NULL, steps, expires_on, NULL, NULL FROM locked
""")


@transaction.atomic(savepoint=False)  # it refuses nothing: nobody goes on after it failed
def allocate(
    *,
    demands: Sequence[Demand],
    cause: str,
    policy_version: str,
    now: datetime,
    policy: Policy | None = None,
    only_nodes: Mapping[int, Sequence[int]] | None = None,
) -> Allocation:
    """Keep available stock for `demands`, the first in rank first, and write each one's receipt.

    Gives what there is: a shortage is no refusal. Three statements, however many demands; a large
    batch is copied. Locks the stock rows of the wanted products in id order. Not repeatable by
    itself: the caller locks its documents and asks only for what still waits. The plan is checked
    by a verifier of its own, and the run keeps its certificate.

    Args:
        demands: of one kind, each id once, quantities above zero.
        cause: what set the run off, in a few words.
        only_nodes: demand id -> the nodes it may be served from; not named means any.

    Raises:
        PlanBroken: the verifier found fault with the plan; nothing is kept.

    Publishes:
        StockFell
    """
    if not demands:
        return Allocation(0, {}, [])
    wants = wants_of_demands(demands, only_nodes or {})
    about = {"kind": demands[0].kind, "cause": cause, "policy_version": policy_version}
    labels = {demand.id: demand.label for demand in demands}
    run_id, made = allocate_wants(wants=wants, labels=labels, policy=policy, about=about, now=now)
    gave = zip(wants.id[made.line].tolist(), made.given.tolist(), strict=True)
    given = {line: from_steps(steps) for line, steps in gave}
    pieces, exchanges, offers = pieces_of(made), exchanges_of(made), offers_of(made)
    return Allocation(run_id, given, pieces, exchanges, offers, lacks_of(made))


class PlanBroken(Exception):
    """A plan that its verifier does not certify: a fault of the engine, so nothing is written."""


def allocate_wants(
    *,
    wants: Wants,
    labels: Mapping[int, str],
    policy: Policy | None,
    about: Mapping[str, object],
    now: datetime,
) -> tuple[int, Plan]:
    """Lock, plan, verify and write for lines given as columns; return the run and its plan."""
    began = perf_counter()
    rules = policy or Policy()
    sources, names = _lock(wants, rules, now.date())
    if names.is_bound:
        rules = replace(rules, capacity=hands(now, is_locked=True))
    if names.is_kept:
        pairs = zip(sources.owner.tolist(), sources.product.tolist(), strict=True)
        rules = with_protection(rules, set(pairs), now.date())
    made = plan(wants, sources, rules)
    certificate = certify(wants, sources, made)
    if not certificate["holds"]:
        raise PlanBroken(certificate["faults"])
    milliseconds = round((perf_counter() - began) * 1000)
    facts = {**about, "now": now, "milliseconds": milliseconds}
    run_id = write_plan(made, names, labels, certificate, facts)
    note_segments(made, str(about["kind"]))
    taken = np.unique(made.taken_from)
    places = (sources.owner[taken], sources.node[taken], sources.product[taken])
    publish_all(fallen(zip(*(column.tolist() for column in places), strict=True)))
    return run_id, made


def pieces_of(made: Plan) -> list[Piece]:
    """Return what was taken, line by line in the order of serving."""
    return [
        Piece(t.want, t.supply, t.node, from_steps(t.steps))
        for t in made.takes()
        if t.mode is Mode.STOCK
    ]


def exchanges_of(made: Plan) -> list[Exchange]:
    """Return what goes out of other products, line by line in the order of serving."""
    if not made.policy.substitutions:
        return []
    products = dict(zip(made.supply.id.tolist(), made.supply.product.tolist(), strict=True))
    return [
        Exchange(
            t.want, t.supply, t.node, products[t.supply], from_steps(t.steps), from_steps(t.spent)
        )
        for t in made.takes()
        if t.mode is Mode.SUBSTITUTE
    ]


def wants_of_demands(demands: Sequence[Demand], only_nodes: Mapping[int, Sequence[int]]) -> Wants:
    """Return what the plan is made of.

    Raises:
        ValueError: a demand is named twice, or wants nothing.
    """
    if len({demand.id for demand in demands}) < len(demands) or len({d.kind for d in demands}) > 1:
        raise ValueError("each demand is named once, and all are of one kind")
    sets = list(dict.fromkeys(frozenset(nodes) for nodes in only_nodes.values()))
    places = {nodes: place for place, nodes in enumerate(sets)}
    columns = np.array(
        [
            (
                d.id,
                d.entity_id,
                d.product_id,
                as_steps(d.quantity),
                d.priority,
                d.due.toordinal(),
                d.group_id,
                d.node_id or 0,
                d.ship_complete * Rule.SHIP_COMPLETE
                + d.no_split * Rule.NO_SPLIT
                + d.no_substitutes * Rule.NO_SUBSTITUTES,
                places[frozenset(only_nodes[d.id])] if d.id in only_nodes else -1,
                d.nodes_max,
                d.soft,
                d.segment_id,
                d.fresh_until.toordinal() if d.fresh_until else 0,
                d.consent,
            )
            for d in demands
        ],
        np.int64,
    ).T
    if (columns[3] <= 0).any():
        raise ValueError("a demand wants more than nothing")
    *plain, fresh_until, consent = columns
    return replace(Wants(*plain), sets=sets, fresh_until=fresh_until, consent=consent)


def _lock(wants: Wants, policy: Policy, today: date) -> tuple[Sources, Names]:
    """Lock what may be taken; return it, with the codes that receipts are written in."""
    keys = np.unique(np.concatenate([(wants.owner << 32) | wants.product, *_others(wants, policy)]))
    entities, products = (keys >> 32).tolist(), (keys & (2**32 - 1)).tolist()
    both = rows(LOCK, {"entities": entities, "products": products, "today": today})
    found = [row for row in both if row[0] is not None]
    free = {row[3]: (row[7], row[8]) for row in both if row[0] is None}
    names = Names({row[1]: row[2] for row in found}, {row[4]: row[5] for row in found if row[3]})
    names.is_bound = any(row[9] for row in found)
    names.is_kept = any(row[10] for row in found)
    unseen = set(np.unique(wants.node).tolist()) - {0, *names.nodes}
    if unseen:
        listed = rows("SELECT id, code FROM inventory_node WHERE id = ANY(%s)", [list(unseen)])
        names.nodes.update(listed)
    columns = np.array(
        [
            (row[3], row[0], row[1], row[4], free.get(row[3], NOTHING)[0], row[6])
            for row in found
            if row[3]
        ],
        np.int64,
    ).reshape(-1, 6)
    days = [free.get(row[3], NOTHING)[1] for row in found if row[3]]
    expires = [day.toordinal() if day else NEVER for day in days]
    return replace(Sources(*columns.T), expires=np.array(expires, np.int64)), names


def _others(wants: Wants, policy: Policy) -> Iterator[Ints]:
    """Yield the other products that may go out for what is wanted, by owner."""
    if not policy.substitutions:
        return
    for owner in np.unique(wants.owner):
        wanted = set(wants.product[wants.owner == owner].tolist())
        others = [pair.by for pair in policy.substitutions if pair.product in wanted]
        yield (owner << 32) | np.array(sorted(set(others)), np.int64)
