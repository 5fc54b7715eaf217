"""What lines ask for, with all that their orders, or else their customers, insist on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from inventory.rules import Consent, Rule
from inventory.services import Demand
from orders.models import Order
from orders.rules import TRANSIT_DAYS
from orders.selectors import segments_of
from orders.services._demanding import LINE, Head, Want

SOFT = {
    "ship_complete": Rule.SHIP_COMPLETE,
    "no_split": Rule.NO_SPLIT,
    "max_nodes": Rule.NODES_MAX,
    "no_substitutes": Rule.NO_SUBSTITUTES,
    "places": Rule.ONLY_NODES,
    "min_shelf_days": Rule.FRESH,
}
CONSENT = {"": Consent.ASK, "always": Consent.ALWAYS, "ask": Consent.EVERY_TIME}

TERMS = Prepared("""
    SELECT o.id, coalesce(own.max_nodes, usual.max_nodes),
        coalesce(own.min_shelf_days, usual.min_shelf_days),
        coalesce(nullif(own.substitutes, ''), usual.substitutes, ''),
        array_to_string(coalesce(own.soft, usual.soft), ' '),
        CASE WHEN EXISTS (SELECT FROM orders_servingplace p WHERE p.terms_id = own.id) THEN own.id
             WHEN EXISTS (SELECT FROM orders_servingplace p WHERE p.terms_id = usual.id)
             THEN usual.id END
    FROM orders_order o
    LEFT JOIN orders_servingterms own ON own.order_id = o.id
    LEFT JOIN orders_servingterms usual ON usual.customer_id = o.customer_id
    WHERE o.id = ANY(%(ids)s::bigint[]) AND coalesce(own.id, usual.id) IS NOT NULL
""")
NODES = """
    SELECT t.id, n.id FROM unnest(%(terms)s::bigint[]) AS t (id) CROSS JOIN inventory_node n
    WHERE (NOT EXISTS (SELECT FROM orders_servingplace p
                       WHERE p.terms_id = t.id AND p.node_id IS NOT NULL)
           OR EXISTS (SELECT FROM orders_servingplace p
                      WHERE p.terms_id = t.id AND p.node_id = n.id))
      AND (NOT EXISTS (SELECT FROM orders_servingplace p
                       WHERE p.terms_id = t.id AND p.entity_id IS NOT NULL)
           OR EXISTS (SELECT FROM orders_servingplace p
                      WHERE p.terms_id = t.id AND p.entity_id = n.entity_id))
      AND (NOT EXISTS (SELECT FROM orders_servingplace p
                       WHERE p.terms_id = t.id AND p.country <> '')
           OR EXISTS (SELECT FROM orders_servingplace p
                      WHERE p.terms_id = t.id AND p.country = upper(n.country)))
"""

PROMISED = """
    SELECT l.id, l.order_id, l.fresh_days, o.requested_date, l.promised_date
    FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
    WHERE l.id = ANY(%(ids)s::bigint[])
"""
WHOLE = Rule.SHIP_COMPLETE | Rule.NO_SPLIT | Rule.NODES_MAX

KEPT_AT = Prepared("""
    SELECT DISTINCT l.order_id, s.node_id
    FROM orders_orderline l
    JOIN inventory_reservation r
        ON r.demand_id = l.id AND r.demand_kind = 'orders.line' AND r.closed_at IS NULL
    JOIN inventory_stock s ON s.id = r.stock_id
    WHERE l.order_id = ANY(%(ids)s) AND l.reserved > 0
""")

KITS_AT = """
    SELECT DISTINCT l.kit_id, s.node_id
    FROM orders_orderline l
    JOIN inventory_reservation r
        ON r.demand_id = l.id AND r.demand_kind = 'orders.line' AND r.closed_at IS NULL
    JOIN inventory_stock s ON s.id = r.stock_id
    WHERE l.kit_id = ANY(%(kits)s) AND l.reserved > 0
"""


@dataclass(frozen=True, slots=True)
class Terms:
    """What one order insists on. `nodes` None is any; `max_nodes` 0 as many as it takes.

    `shelf_days` None: a lot need not keep at all.
    """

    max_nodes: int = 0
    shelf_days: int | None = None
    consent: Consent = Consent.ASK
    soft: Rule = Rule.NONE
    nodes: frozenset[int] | None = None


NO_TERMS = Terms()


def terms_of(order_ids: Collection[int]) -> dict[int, Terms]:
    """Return what these orders insist on; those that insist on nothing are not in the answer.

    One query, two where places are named; none without orders.
    """
    found = rows(TERMS, {"ids": list(order_ids)}) if order_ids else []
    named = sorted({row[5] for row in found if row[5]})
    nodes: dict[int, set[int]] = {terms: set() for terms in named}
    for terms, node in rows(NODES, {"terms": named}) if named else []:
        nodes[terms].add(node)
    places: Mapping[int, frozenset[int]] = {key: frozenset(ids) for key, ids in nodes.items()}
    return {
        order_id: Terms(
            max_nodes or 0,
            days,
            CONSENT[substitutes],
            Rule(sum(SOFT[name] for name in (soft or "").split())),
            places.get(named_by),
        )
        for order_id, max_nodes, days, substitutes, soft, named_by in found
    }


def demands_of(
    chosen: Sequence[Head],
    wants: Sequence[Want],
    only: Mapping[int, Sequence[int]],
    today: date,
) -> tuple[list[Demand], dict[int, Sequence[int]], dict[int, Terms]]:
    """Return what lines ask for, the nodes they may be served from, and their orders' terms.

    `only` is by line where a person says so. No query where nobody insists on anything.
    """
    orders = {head.id: head for head in chosen}
    insisting = [head.id for head in chosen if head.has_terms]
    terms = terms_of(insisting) if insisting else {}
    segments = segments_of(order_ids=[head.id for head in chosen if head.has_segments])
    fixed, used = _fixed_nodes(chosen, wants, terms)
    bound: dict[int, Sequence[int]] = {**fixed, **only}
    demands, places = [], dict(bound)
    for want in wants:
        own = terms.get(want.order_id, NO_TERMS)
        asked = _demand(want, orders[want.order_id], own, today)
        if want.order_id in segments:
            asked = replace(asked, segment_id=segments[want.order_id])
        if own.max_nodes:
            asked = replace(asked, nodes_max=max(own.max_nodes - used.get(want.order_id, 0), 1))
        if want.id in bound:
            asked = replace(asked, soft=asked.soft & ~Rule.ONLY_NODES)
        if own.nodes is not None:
            if want.id not in bound:
                places[want.id] = sorted(own.nodes)
            elif not own.soft & Rule.ONLY_NODES:
                places[want.id] = sorted(own.nodes & set(bound[want.id]))
        demands.append(asked)
    return demands, places, terms


def keeps_until(line_ids: Collection[int], order_ids: Collection[int]) -> dict[int, date]:
    """Return by line of these orders to which day its lots must keep; any may where it is not."""
    terms = terms_of(order_ids)
    return {
        line_id: max(requested, promised or requested) + timedelta(days=days)
        for line_id, order_id, own, requested, promised in rows(PROMISED, {"ids": list(line_ids)})
        for days in [own if own is not None else terms.get(order_id, NO_TERMS).shelf_days]
        if days is not None
    }


def _demand(want: Want, head: Head, terms: Terms, today: date) -> Demand:
    """Return what inventory is asked for: the parts of a kit all or nothing, from one node.

    An order that leaves complete, or from one node, is one group with its kits, all or nothing.
    Parts of kits and what goes out for something else already stay what they are; what was agreed
    in a quote or blanket order is asked about.
    """
    is_fixed = want.kit_id is not None or want.is_substitute
    own = not head.ship_complete and not head.no_split
    is_kit = own and want.kit_id is not None
    return Demand(
        kind=LINE,
        id=want.id,
        entity_id=head.entity_id,
        product_id=want.product_id,
        quantity=want.waiting,
        node_id=want.node_id,
        priority=head.priority,
        due=head.requested_date,
        group_id=-want.kit_id if own and want.kit_id else head.id,
        ship_complete=head.ship_complete or is_kit or (head.no_split and want.has_kits),
        no_split=head.no_split or is_kit,
        label=head.number,
        nodes_max=terms.max_nodes,
        fresh_until=fresh_until(want, head, terms, today),
        no_substitutes=head.no_substitutes or is_fixed,
        consent=_consent(want, terms),
        soft=terms.soft
        & ~(WHOLE if want.has_kits else Rule.NONE)
        & ~(Rule.NO_SUBSTITUTES if is_fixed else Rule.NONE),
    )


def _consent(want: Want, terms: Terms) -> Consent:
    if want.is_agreed:
        return Consent.EVERY_TIME
    return Consent.ALWAYS if want.disposition == "substitute" else terms.consent


def fresh_until(want: Want, head: Head, terms: Terms, today: date) -> date | None:
    """Return the day to which lots must keep: so many days beyond the promise; None is any.

    Of what was not promised yet, beyond the day it is wanted, or could be there at the earliest.
    """
    days = terms.shelf_days if want.fresh_days is None else want.fresh_days
    if days is None:
        return None
    transit = TRANSIT_DAYS if head.transit_days is None else head.transit_days
    earliest = today + timedelta(days=transit)
    wanted = max(head.requested_date, want.promised_on or earliest, earliest)
    return wanted + timedelta(days=days)


def _fixed_nodes(
    chosen: Sequence[Head], wants: Sequence[Want], terms: Mapping[int, Terms]
) -> tuple[dict[int, list[int]], dict[int, int]]:
    """Return by line where the rest of an order must come from that leaves from few nodes.

    And by order how many nodes it leaves from already, of those that may leave from more. An order
    that would rather leave from few may leave from others.
    """
    whole = {
        head.id
        for head in chosen
        if head.no_split
        and head.state != Order.State.RELEASED
        and not terms.get(head.id, NO_TERMS).soft & Rule.NO_SPLIT
    }
    few = {
        head.id: terms[head.id].max_nodes
        for head in chosen
        if head.id in terms
        and terms[head.id].max_nodes
        and head.state != Order.State.RELEASED
        and not terms[head.id].soft & Rule.NODES_MAX
    }
    kits = {want.kit_id for want in wants if want.kit_id}
    fixed = _nodes_of_kits(kits, wants) if kits else {}
    if not whole and not few:
        return fixed, {}
    nodes: dict[int, list[int]] = {}
    for order_id, node_id in rows(KEPT_AT, {"ids": sorted(whole | few.keys())}):
        nodes.setdefault(order_id, []).append(node_id)
    used = {
        order_id: len(nodes.pop(order_id))
        for order_id, most in few.items()
        if order_id not in whole and 0 < len(nodes.get(order_id, ())) < most
    }
    bound = {want.id: nodes[want.order_id] for want in wants if want.order_id in nodes}
    return fixed | bound, used


def _nodes_of_kits(kits: Collection[int], wants: Sequence[Want]) -> dict[int, list[int]]:
    """Return by line where the other parts of its kit are kept already."""
    nodes: dict[int, list[int]] = {}
    for kit_id, node_id in rows(KITS_AT, {"kits": sorted(kits)}):
        nodes.setdefault(kit_id, []).append(node_id)
    return {want.id: nodes[want.kit_id] for want in wants if want.kit_id in nodes}
