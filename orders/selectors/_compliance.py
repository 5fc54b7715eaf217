"""Restrictions, exceptions, licences, certificates, lists, and matches to review."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, QuerySet

from erp.kernel.sql import records
from orders.models import (
    Certificate,
    CreditAccount,
    DeniedParty,
    ExportException,
    ExportLicence,
    ExportRestriction,
    Order,
    PartyMatch,
    PartyRole,
)


@dataclass(frozen=True, slots=True)
class MatchRow:
    """One match with both sides as they stand, and how many orders it holds in view."""

    id: int
    state: str
    score: int
    name_score: int
    address_score: int | None
    found_at: datetime
    party: str
    party_address: str
    party_country: str
    listed: str
    aliases: list[str]
    listed_address: str
    listed_country: str
    programme: str
    reference: str
    party_list: str
    orders: int
    money: Decimal


@dataclass(frozen=True, slots=True)
class LicenceRow:
    """One licence with what is left of it; None: without bound. Value in `currency`."""

    id: int
    number: str
    entity: str
    jurisdiction: str
    customer: str
    ship_to: list[str]
    export_code: str
    currency: str
    quantity_max: Decimal | None
    quantity_used: Decimal
    value_max: Decimal | None
    value_used: Decimal
    valid_from: date
    valid_until: date | None

    @property
    def quantity_left(self) -> Decimal | None:
        return None if self.quantity_max is None else self.quantity_max - self.quantity_used

    @property
    def value_left(self) -> Decimal | None:
        return None if self.value_max is None else self.value_max - self.value_used


# A match is seen by whoever may see a customer or an order that bears the party.
MATCHES = """
    SELECT m.id, m.state, m.score, m.name_score, m.address_score, m.found_at, p.name AS party,
           concat_ws(', ', nullif(p.address, ''), nullif(p.city, '')) AS party_address,
           p.country AS party_country, d.name AS listed, d.aliases,
           concat_ws(', ', nullif(d.address, ''), nullif(d.city, '')) AS listed_address,
           d.country AS listed_country, d.programme, d.reference, t.code AS party_list,
           held.orders, held.money
    FROM orders_partymatch m
    JOIN orders_party p ON p.id = m.party_id
    JOIN orders_deniedparty d ON d.id = m.entry_id
    JOIN orders_partylist t ON t.id = d.party_list_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS orders, coalesce(sum(o.total), 0) AS money
        FROM orders_order o
        WHERE o.state = 'held' AND o.entity_id = ANY(%(entities)s) AND EXISTS (
            SELECT FROM orders_partyrole r WHERE r.party_id = p.id
              AND ((r.subject_kind = 'orders.order' AND r.subject_id = o.id)
                OR (r.subject_kind = 'orders.customer' AND r.subject_id = o.customer_id)))
    ) AS held
    WHERE m.state = %(state)s AND (m.score, -m.id) < (%(score)s, %(minus)s)
      AND EXISTS (
        SELECT FROM orders_partyrole r
        LEFT JOIN orders_order o ON r.subject_kind = 'orders.order' AND o.id = r.subject_id
        LEFT JOIN orders_creditaccount a
            ON r.subject_kind = 'orders.customer' AND a.customer_id = r.subject_id
        WHERE r.party_id = p.id AND coalesce(o.entity_id, a.entity_id) = ANY(%(entities)s))
      AND (%(id)s = 0 OR m.id = %(id)s)
    ORDER BY m.score DESC, m.id
    LIMIT %(limit)s
"""

LICENCES = """
    SELECT x.id, x.number, e.code AS entity, x.jurisdiction, coalesce(c.name, '') AS customer,
           x.ship_to, x.export_code, x.currency, x.quantity_max, x.quantity_used, x.value_max,
           x.value_used, x.valid_from, x.valid_until
    FROM orders_exportlicence x
    JOIN accounts_entity e ON e.id = x.entity_id
    LEFT JOIN orders_customer c ON c.id = x.customer_id
    WHERE x.entity_id = ANY(%(entities)s)
    ORDER BY x.valid_until NULLS LAST, x.number, x.id
    LIMIT %(limit)s
"""
WALK = """
    SELECT cause, step, total, done, matches, holds, started_at, finished_at FROM orders_screening
    ORDER BY stamp DESC LIMIT 1
"""
LISTS = """
    SELECT code, name, version, entries, imported_at FROM orders_partylist ORDER BY code LIMIT 100
"""


def party_matches(
    *,
    entity_ids: Collection[int],
    state: str = "open",
    match_id: int = 0,
    after: str = "",
    limit: int = 100,
) -> tuple[list[MatchRow], str]:
    """Return matches, the most alike first, and the cursor of the next page. One query."""
    score, _, last = after.partition(":")
    is_cursor = score.isdecimal() and last.isdecimal() and len(after) < 30  # noqa: PLR2004
    params = {
        "entities": sorted(entity_ids),
        "state": state,
        "id": match_id,
        "score": int(score) if is_cursor else 101,
        "minus": -int(last) if is_cursor else 0,
        "limit": limit + 1,
    }
    found = [MatchRow(**row) for row in records(MATCHES, params)]
    page = found[:limit]
    return page, f"{page[-1].score}:{page[-1].id}" if len(found) > limit else ""


def licence_list(*, entity_ids: Collection[int], limit: int = 200) -> list[LicenceRow]:
    """Return the licences of these entities, those that end first at the top. One query."""
    params = {"entities": sorted(entity_ids), "limit": limit}
    return [LicenceRow(**row) for row in records(LICENCES, params)]


def party_lists() -> list[dict[str, Any]]:
    """Return the denied-party lists. One query."""
    return records(LISTS)


def last_screening() -> dict[str, Any] | None:
    """Return how far the last walk over everybody has come."""
    found = records(WALK)
    return found[0] if found else None


def restrictions_within(entity_ids: Collection[int]) -> QuerySet[Any, Any]:
    """Return the restrictions of these entities and of all."""
    within = Q(entity=None) | Q(entity_id__in=entity_ids)
    return ExportRestriction.objects.filter(within).values(
        "id", "code", "name", "jurisdiction", "coverage", "coverage_value", "sell_to", "ship_to",
        "purposes", "de_minimis", "is_embargo", "valid_from", "valid_until",
        entity_code=F("entity__code"),
    )  # fmt: skip


def exceptions_within(entity_ids: Collection[int]) -> QuerySet[Any, Any]:
    """Return the exceptions of these entities and of all."""
    within = Q(entity=None) | Q(entity_id__in=entity_ids)
    return ExportException.objects.filter(within).values(
        "id", "code", "name", "jurisdiction", "coverage", "coverage_value", "sell_to", "ship_to",
        "purposes", "needs_licence", "valid_from", "valid_until",
        entity_code=F("entity__code"),
        restriction_code=F("restriction__code"),
        customer_code=F("customer__code"),
    )  # fmt: skip


def licences_within(entity_ids: Collection[int]) -> QuerySet[Any, Any]:
    """Return the licences of these entities."""
    return ExportLicence.objects.filter(entity_id__in=entity_ids).values(
        "id", "number", "jurisdiction", "ship_to", "export_code", "currency", "quantity_max",
        "quantity_used", "value_max", "value_used", "valid_from", "valid_until",
        entity_code=F("entity__code"),
        customer_code=F("customer__code"),
    )  # fmt: skip


def certificates_within(entity_ids: Collection[int]) -> QuerySet[Any, Any]:
    """Return the certificates of customers who have an account in these entities."""
    within = Certificate.objects.filter(customer__accounts__entity_id__in=entity_ids).distinct()
    return within.values(
        "id", "kind", "number", "issuer", "hazmat_classes", "purpose", "valid_from", "valid_until",
        customer_code=F("customer__code"),
        customer_name=F("customer__name"),
    )  # fmt: skip


def denied_parties() -> QuerySet[Any, Any]:
    """Return the entries of all lists that were not removed."""
    return DeniedParty.objects.filter(removed_at=None).values(
        "id", "reference", "name", "aliases", "address", "city", "country", "programme", "version",
        list_code=F("party_list__code"),
    )  # fmt: skip


def matches_within(entity_ids: Collection[int]) -> QuerySet[Any, Any]:
    """Return the matches of parties that an order or customer of these entities bears."""
    orders = Order.objects.filter(entity_id__in=entity_ids).values("pk")
    customers = CreditAccount.objects.filter(entity_id__in=entity_ids).values("customer_id")
    roles = PartyRole.objects.filter(
        Q(subject_kind="orders.order", subject_id__in=orders)
        | Q(subject_kind="orders.customer", subject_id__in=customers)
    )
    return PartyMatch.objects.filter(party_id__in=roles.values("party_id")).values(
        "id", "state", "score", "name_score", "address_score", "entry_version", "found_at",
        "reviewed_at", "review_reason",
        party_name=F("party__name"),
        entry_name=F("entry__name"),
        reference=F("entry__reference"),
        list_code=F("entry__party_list__code"),
    )  # fmt: skip
