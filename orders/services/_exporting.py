"""Reads what export control asks of orders, and keeps what they take of licences.

Licences are locked after accounts and orders, by id, and before stock (ADR 0008).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from erp.kernel.prepared import Prepared
from erp.kernel.sql import records, rows, run
from erp.outbox.publishing import publish_all
from orders.events import LicenceFreed
from orders.rules import part_of
from orders.rules.exporting import (
    ExportLine,
    Licence,
    Restriction,
    Rulebook,
    Ruling,
    Scope,
    Shown,
    Waiver,
    purposes_of,
    uncertified,
)
from orders.rules.geography import country_code

# Only the lines that something may be said about: none where no rule is in force.
OPEN_LINES = """
    SELECT l.id, l.position, l.order_id, o.entity_id, o.customer_id, p.code AS product,
           p.export_code, p.category, p.hazmat_class, p.licence_required, p.controlled_share,
           c.country AS sold_to, coalesce(o.ship_to->>'country', c.country) AS shipped_to,
           l.quantity, l.quantity - l.cancelled - l.shipped AS open, l.amount, o.currency,
           today.is AS today
    FROM orders_order o
    JOIN accounts_entity e ON e.id = o.entity_id
    JOIN orders_customer c ON c.id = o.customer_id
    CROSS JOIN LATERAL (SELECT (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date AS is) today
    JOIN orders_orderline l ON l.order_id = o.id AND l.quantity > l.cancelled + l.shipped
    JOIN inventory_product p ON p.id = l.product_id
    WHERE o.id = ANY(%(orders)s)
      AND (p.hazmat_class <> '' OR p.licence_required OR EXISTS (
          SELECT FROM orders_exportrestriction r
          WHERE (r.entity_id IS NULL OR r.entity_id = o.entity_id) AND r.valid_from <= today.is
            AND (r.valid_until IS NULL OR r.valid_until > today.is)))
    ORDER BY array_position(%(orders)s, o.id), l.position
"""
LINES = Prepared(OPEN_LINES)
LINES_GONE = Prepared(
    OPEN_LINES.replace("l.quantity - l.cancelled - l.shipped AS open", "l.shipped AS open").replace(
        "l.quantity > l.cancelled + l.shipped", "l.shipped > 0"
    )
)

SCOPE = "entity_id, coverage, coverage_value, sell_to, ship_to, purposes, valid_from, valid_until"
RESTRICTIONS = f"""
    SELECT id, code, jurisdiction, is_embargo, de_minimis, {SCOPE} FROM orders_exportrestriction
    WHERE (entity_id IS NULL OR entity_id = ANY(%(entities)s))
      AND (valid_until IS NULL OR valid_until > %(first)s)
    ORDER BY NOT is_embargo, id
"""  # noqa: S608  the parts are our own
WAIVERS = f"""
    SELECT id, code, jurisdiction, restriction_id, customer_id, needs_licence, {SCOPE}
    FROM orders_exportexception
    WHERE (entity_id IS NULL OR entity_id = ANY(%(entities)s))
      AND (customer_id IS NULL OR customer_id = ANY(%(customers)s))
      AND (valid_until IS NULL OR valid_until > %(first)s)
    ORDER BY needs_licence, id
"""  # noqa: S608  the parts are our own
LICENCES = """
    SELECT id, number, entity_id, jurisdiction, customer_id, ship_to, export_code, currency,
           quantity_max - quantity_used + coalesce(own.quantity, 0) AS quantity,
           value_max - value_used + coalesce(own.value, 0) AS value, valid_from, valid_until
    FROM orders_exportlicence
    LEFT JOIN LATERAL (
        SELECT sum(u.quantity - l.shipped) AS quantity,
               sum(round(u.value * (u.quantity - l.shipped) / u.quantity, 4)) AS value
        FROM orders_licenceuse u JOIN orders_orderline l ON l.id = u.line_id
        WHERE u.licence_id = orders_exportlicence.id AND u.line_id = ANY(%(lines)s)
          AND u.quantity > l.shipped
    ) AS own ON true
    WHERE entity_id = ANY(%(entities)s) AND jurisdiction = ANY(%(jurisdictions)s)
      AND (customer_id IS NULL OR customer_id = ANY(%(customers)s))
      AND (valid_until IS NULL OR valid_until > %(first)s)
    ORDER BY id
    FOR NO KEY UPDATE OF orders_exportlicence
"""
CERTIFICATES = """
    SELECT customer_id, kind, hazmat_classes AS classes, purpose, valid_from, valid_until
    FROM orders_certificate WHERE customer_id = ANY(%(customers)s)
"""

TAKE = """
    WITH taken AS (
        SELECT * FROM unnest(%(licences)s::bigint[], %(lines)s::bigint[], %(quantities)s::numeric[],
            %(values)s::numeric[]) AS t (licence_id, line_id, quantity, value)
    ), kept AS (
        INSERT INTO orders_licenceuse AS u (licence_id, line_id, quantity, value, used_at)
        SELECT licence_id, line_id, quantity, value, %(now)s FROM taken
        ON CONFLICT (line_id, licence_id) DO UPDATE SET quantity = u.quantity + excluded.quantity,
            value = u.value + excluded.value, used_at = excluded.used_at
    )
    UPDATE orders_exportlicence x
    SET quantity_used = x.quantity_used + t.quantity, value_used = x.value_used + t.value
    FROM (SELECT licence_id, sum(quantity) AS quantity, sum(value) AS value
          FROM taken GROUP BY licence_id) AS t
    WHERE x.id = t.licence_id
"""

HELD_BY_LINES = Prepared("""
    SELECT x.id FROM orders_exportlicence x
    WHERE x.id IN (SELECT licence_id FROM orders_licenceuse
                   WHERE line_id = ANY(%(lines)s) AND quantity > 0)
    ORDER BY x.id
    FOR NO KEY UPDATE
""")

GIVE_BACK = """
    WITH back AS (
        UPDATE orders_licenceuse u SET quantity = k.quantity,
            value = round(u.value * k.quantity / u.quantity, 4)
        FROM unnest(%(lines)s::bigint[], %(kept)s::numeric[]) AS k (line_id, quantity)
        WHERE u.line_id = k.line_id AND u.quantity > k.quantity
        RETURNING u.licence_id, old.quantity - new.quantity AS quantity,
                  old.value - new.value AS value
    )
    UPDATE orders_exportlicence x
    SET quantity_used = x.quantity_used - b.quantity, value_used = x.value_used - b.value
    FROM (SELECT licence_id, sum(quantity) AS quantity, sum(value) AS value
          FROM back GROUP BY licence_id) AS b
    WHERE x.id = b.licence_id AND b.quantity > 0
    RETURNING x.id, x.entity_id, x.number
"""


@dataclass(frozen=True, slots=True)
class Gap:
    """What a line's customer has not shown, as a sentence; or a country nobody knows."""

    line: ExportLine
    kind: str  # certificate or country
    missing: str


@dataclass(frozen=True, slots=True)
class Found:
    """What export control says about some orders' lines, in turn."""

    rulings: Sequence[Ruling] = ()
    gaps: Sequence[Gap] = ()


def rule_on_exports(order_ids: Sequence[int], now: datetime, *, is_gone: bool = False) -> Found:
    """Rule on every line that a restriction touches or that needs a certificate, in turn.

    What a line has taken of a licence already is there for it. With `is_gone` it is ruled on what
    has left instead; nothing is said of licences then. Locks the licences that any of them
    may need. One query where no rule is in force.
    """
    statement = LINES_GONE if is_gone else LINES
    found = records(statement, {"orders": list(order_ids), "now": now}) if order_ids else []
    if not found:
        return Found()
    customers = sorted({row["customer_id"] for row in found})
    shown = [Shown(**row) for row in records(CERTIFICATES, {"customers": customers})]
    lines = [_line(row, shown) for row in found]
    gaps = [gap for row, line in zip(found, lines, strict=True) for gap in _gaps(row, line, shown)]
    return Found(_rulings(lines, customers), gaps)


def take_licences(order_ids: Sequence[int], now: datetime) -> None:
    """Take what released orders need of licences; see `rule_on_exports` for the locks.

    A line that its owner let go without a licence takes none.
    """
    taken = {
        (ruling.licence.id, ruling.line.id): ruling.line
        for ruling in _passing(rule_on_exports(order_ids, now).rulings)
        if ruling.licence is not None
    }
    if taken:
        params = {
            "licences": [licence for licence, _line_id in taken],
            "lines": [line_id for _licence, line_id in taken],
            "quantities": [line.quantity for line in taken.values()],
            "values": [line.value for line in taken.values()],
            "now": now,
        }
        run(TAKE, params)


def give_back_licences(kept: Mapping[int, Decimal]) -> None:
    """Reduce what lines take of licences to these quantities, their values in proportion.

    Locks the licences, and tells of those that came back. One query where none is used.
    """
    if kept and rows(HELD_BY_LINES, {"lines": list(kept)}):
        freed = rows(GIVE_BACK, {"lines": list(kept), "kept": list(kept.values())})
        publish_all(
            [LicenceFreed(licence_id=pk, entity_id=entity, number=no) for pk, entity, no in freed]
        )


def _passing(rulings: Sequence[Ruling]) -> list[Ruling]:
    failing = {ruling.line.id for ruling in rulings if not ruling.passes}
    return [ruling for ruling in rulings if ruling.line.id not in failing]


def _rulings(lines: Sequence[ExportLine], customers: Collection[int]) -> list[Ruling]:
    entities = sorted({line.entity_id for line in lines})
    params: dict[str, Any] = {
        "entities": entities,
        "customers": list(customers),
        "first": min(line.on for line in lines),
    }
    restrictions = [Restriction(scope=_scope(row), **row) for row in records(RESTRICTIONS, params)]
    if not restrictions:
        return []
    waivers = [Waiver(scope=_scope(row), **row) for row in records(WAIVERS, params)]
    rulings = Rulebook(restrictions, waivers).rule_on(lines)
    wanted = {r.restriction.jurisdiction for r in rulings if r.outcome == "no_licence"}
    if not wanted:
        return rulings
    found = records(
        LICENCES, params | {"jurisdictions": sorted(wanted), "lines": [line.id for line in lines]}
    )
    licences = [Licence(**row) for row in found]
    licences.sort(key=lambda each: (each.valid_until or date.max, each.id))
    return Rulebook(restrictions, waivers, licences).rule_on(lines)


def _scope(row: dict[str, Any]) -> Scope:
    """Take the columns of a scope out of a row."""
    return Scope(**{name: row.pop(name) for name in SCOPE.split(", ")})


def _line(row: dict[str, Any], shown: Sequence[Shown]) -> ExportLine:
    return ExportLine(
        id=row["id"],
        position=row["position"],
        order_id=row["order_id"],
        entity_id=row["entity_id"],
        customer_id=row["customer_id"],
        product=row["product"],
        export_code=row["export_code"],
        category=row["category"],
        controlled_share=row["controlled_share"],
        sell_to=country_code(row["sold_to"]),
        ship_to=country_code(row["shipped_to"]),
        purposes=purposes_of(shown, row["customer_id"], row["today"]),
        quantity=row["open"],
        value=part_of(row["amount"], row["open"], row["quantity"]),
        currency=row["currency"],
        on=row["today"],
    )


def _gaps(row: dict[str, Any], line: ExportLine, shown: Sequence[Shown]) -> list[Gap]:
    needs = {
        "hazmat": row["hazmat_class"],
        "licence": row["product"] if row["licence_required"] else "",
    }
    lacking = uncertified(needs, shown, line.customer_id, line.on)
    gaps = [Gap(line, "certificate", said) for said in lacking]
    unknown = {
        row[name]
        for name, code in (("sold_to", line.sell_to), ("shipped_to", line.ship_to))
        if row[name] and not code
    }
    return gaps + [
        Gap(line, "country", f"“{name}” is no country we know.") for name in sorted(unknown)
    ]
