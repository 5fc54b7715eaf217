"""Compares whom we serve with the denied-party lists.

What reads the same is one party, compared once for each state of the lists (`stamp`).
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from erp.governance.services import Question, decide
from erp.kernel.prepared import Prepared
from erp.kernel.sql import records, rows, run
from erp.kernel.states import move
from orders.models import PartyMatch
from orders.rules.naming import Name, digest
from orders.rules.screening import (
    Index,
    Listed,
    address_score,
    overall,
    same_country,
)

SCREENING_LOCK = 7_041_812
CUSTOMER, ORDER = "orders.customer", "orders.order"

# The lock is shared until the transaction ends: the end of a walk over all orders waits for it.
STAMP = Prepared("""
    SELECT stamp, pg_advisory_xact_lock_shared(%(lock)s::bigint) FROM orders_screening
    ORDER BY stamp DESC LIMIT 1
""")
NAMES = {
    ORDER: """
        SELECT o.id, o.customer_id, o.ship_to, c.name, c.address, c.city, c.country
        FROM orders_order o JOIN orders_customer c ON c.id = o.customer_id
        WHERE o.id = ANY(%(ids)s)
    """,
    CUSTOMER: """
        SELECT c.id, c.id AS customer_id, NULL::jsonb AS ship_to, c.name, c.address, c.city,
               c.country
        FROM orders_customer c WHERE c.id = ANY(%(ids)s)
    """,
}
PARTIES = "SELECT * FROM orders_party WHERE digest = ANY(%(digests)s)"
KEEP_PARTIES = """
    INSERT INTO orders_party (digest, name, address, city, country, stamp)
    SELECT *, 0 FROM unnest(%(digests)s::text[], %(names)s::text[], %(addresses)s::text[],
        %(cities)s::text[], %(countries)s::text[]) AS p
    ORDER BY 1
    ON CONFLICT (digest) DO NOTHING
"""
KEEP_ROLES = """
    INSERT INTO orders_partyrole AS r (subject_kind, subject_id, party_id)
    SELECT * FROM unnest(%(kinds)s::text[], %(subjects)s::bigint[], %(parties)s::bigint[]) AS n
    ORDER BY 1, 2
    ON CONFLICT (subject_kind, subject_id) DO UPDATE SET party_id = excluded.party_id
    WHERE r.party_id <> excluded.party_id
"""
ENTRIES = """
    SELECT id, version, name, aliases, address, city, country FROM orders_deniedparty
    WHERE removed_at IS NULL ORDER BY id
"""
KEEP_MATCHES = """
    INSERT INTO orders_partymatch (party_id, entry_id, entry_version, score, name_score,
        address_score, state, found_at, policy_version, review_reason)
    SELECT *, 'open', %(now)s, %(version)s, '' FROM unnest(%(parties)s::bigint[],
        %(entries)s::bigint[], %(versions)s::int[], %(scores)s::int[], %(names)s::int[],
        %(addresses)s::int[]) AS m
    ON CONFLICT (party_id, entry_id, entry_version) DO NOTHING
    RETURNING id
"""
OUTDATED = """
    SELECT m.id FROM orders_partymatch m JOIN orders_deniedparty d ON d.id = m.entry_id
    WHERE m.party_id = ANY(%(parties)s) AND m.state IN ('open', 'confirmed', 'rejected')
      AND (d.version <> m.entry_version OR d.removed_at IS NOT NULL)
"""
STANDING = """
    SELECT m.party_id, m.state, m.score, d.name, t.code, m.found_at
    FROM orders_partymatch m
    JOIN orders_deniedparty d ON d.id = m.entry_id
    JOIN orders_partylist t ON t.id = d.party_list_id
    WHERE m.party_id = ANY(%(parties)s) AND m.state IN ('open', 'confirmed')
    ORDER BY m.state, m.score DESC, m.id
"""
COMPARED = "UPDATE orders_party SET stamp = %(stamp)s WHERE id = ANY(%(ids)s) AND stamp < %(stamp)s"

_indexes: dict[int, Index] = {}  # of one stamp: a list never changes without a new one


@dataclass(frozen=True, slots=True)
class Bearer:
    """A name at an address as it stands on one of our records."""

    kind: str
    subject_id: int
    name: str
    address: str
    city: str
    country: str

    @property
    def digest(self) -> str:
        return digest(self.name, self.address, self.city, self.country)


@dataclass(frozen=True, slots=True)
class Standing:
    """A match that keeps an order from going on: to be reviewed, or confirmed."""

    state: str
    score: int
    listed: str
    party: str
    party_list: str
    found_at: datetime

    @property
    def said(self) -> str:
        return f"{self.party} resembles {self.listed} ({self.party_list}, {self.score})"


def current_stamp() -> int:
    """Return the present state of the lists; 0 where there never was one. Locks it, shared."""
    found = rows(STAMP, {"lock": SCREENING_LOCK})
    return int(found[0][0]) if found else 0


def screen_orders(order_ids: Sequence[int], now: datetime) -> dict[int, list[Standing]]:
    """Compare buyers and consignees of these orders; return what stands against each of them.

    One query where there never was a list.
    """
    stamp = current_stamp()
    if not stamp or not order_ids:
        return {}
    bearers = bearers_of(ORDER, order_ids)
    return _against(bearers, _keep(bearers, stamp, now)[0])


def standing_against(order_ids: Sequence[int]) -> dict[int, list[Standing]]:
    """Return what stands against each of these orders by what was compared; locks nothing.

    A name that was written since says nothing yet: whoever wrote it compares it.
    """
    bearers = bearers_of(ORDER, order_ids)
    digests = {each.digest for borne in bearers.values() for each in borne}
    known = {row["digest"]: row["id"] for row in records(PARTIES, {"digests": list(digests)})}
    return _against(bearers, known)


def _against(
    bearers: Mapping[int, Sequence[Bearer]], by_digest: Mapping[str, int]
) -> dict[int, list[Standing]]:
    standing = _standing(by_digest)
    found: dict[int, list[Standing]] = {}
    for order_id, borne in bearers.items():
        parties = dict.fromkeys(by_digest.get(each.digest, 0) for each in borne)
        against = [each for party in parties for each in standing.get(party, ())]
        if against:
            found[order_id] = against
    return found


def compare(kind: str, ids: Sequence[int], stamp: int, now: datetime) -> int:
    """Compare those of our customers or orders with the lists; return how many matches are new."""
    return _keep(bearers_of(kind, ids), stamp, now)[1]


def bearers_of(kind: str, ids: Collection[int]) -> dict[int, list[Bearer]]:
    """Return the names on each record: of an order its customer's and its consignee's."""
    found: dict[int, list[Bearer]] = {}
    for row in records(NAMES[kind], {"ids": list(ids)}):
        own = Bearer(
            CUSTOMER, row["customer_id"], row["name"], row["address"], row["city"], row["country"]
        )
        found[row["id"]] = [own] if kind == CUSTOMER else [own, _consignee(row, own)]
    return found


def _consignee(row: Mapping[str, Any], own: Bearer) -> Bearer:
    place = row["ship_to"]
    place = json.loads(place) if isinstance(place, str) else place or {}
    said = {name: str(place.get(name) or "") for name in ("address", "city", "country")}
    name = str(place.get("name") or own.name)
    return Bearer(ORDER, row["id"], name, said["address"], said["city"], said["country"])


def _keep(
    bearers: Mapping[int, Sequence[Bearer]], stamp: int, now: datetime
) -> tuple[dict[str, int], int]:
    """Keep who bears which name, and compare the names that were not since the lists changed.

    Return each party by digest, and how many matches are new.
    """
    every = {(b.kind, b.subject_id): b for borne in bearers.values() for b in borne}
    by_digest = {b.digest: b for b in every.values()}
    parties = _parties(by_digest)
    ids = {row["digest"]: row["id"] for row in parties}
    roles = {
        "kinds": [kind for kind, _subject in every],
        "subjects": [subject for _kind, subject in every],
        "parties": [ids[b.digest] for b in every.values()],
    }
    run(KEEP_ROLES, roles)
    stale = [row for row in parties if row["stamp"] < stamp]
    return ids, _compare(stale, stamp, now) if stale else 0


def _parties(by_digest: Mapping[str, Bearer]) -> list[dict[str, Any]]:
    """Return the parties of these digests; those not seen before are added."""
    found = records(PARTIES, {"digests": list(by_digest)})
    new = sorted(by_digest.keys() - {row["digest"] for row in found})
    if not new:
        return found
    run(
        KEEP_PARTIES,
        {
            "digests": new,
            "names": [by_digest[each].name[:300] for each in new],
            "addresses": [by_digest[each].address[:300] for each in new],
            "cities": [by_digest[each].city[:100] for each in new],
            "countries": [by_digest[each].country[:60] for each in new],
        },
    )
    return records(PARTIES, {"digests": list(by_digest)})


def _compare(parties: Sequence[Mapping[str, Any]], stamp: int, now: datetime) -> int:
    """Let old matches lapse, write new ones; return how many are new."""
    ids = [row["id"] for row in parties]
    outdated = [row[0] for row in rows(OUTDATED, {"parties": ids})]
    move(PartyMatch, "lapse", outdated)
    pairs = _pairs(parties, index_of(stamp))
    questions = [
        Question(
            entity_id=0,
            subject_kind="orders.party",
            subject_id=party["id"],
            facts={
                "score": overall(name, address),
                "name_score": name,
                "address_score": address,
                "same_country": same_country(party["country"], entry.country),
            },
        )
        for party, entry, name, address in pairs
    ]
    decisions = decide(policy="orders.screening", questions=questions, now=now, keep=False)
    kept = [pair for pair, said in zip(pairs, decisions, strict=True) if said.outcome["review"]]
    found = rows(
        KEEP_MATCHES,
        {
            "now": now,
            "version": decisions[0].policy_version if decisions else "",
            "parties": [party["id"] for party, _entry, _name, _address in kept],
            "entries": [entry.id for _party, entry, _name, _address in kept],
            "versions": [entry.version for _party, entry, _name, _address in kept],
            "scores": [overall(name, address) for _party, _entry, name, address in kept],
            "names": [name for _party, _entry, name, _address in kept],
            "addresses": [address for _party, _entry, _name, address in kept],
        },
    )
    run(COMPARED, {"stamp": stamp, "ids": ids})
    return len(found)


def _pairs(
    parties: Sequence[Mapping[str, Any]], index: Index
) -> list[tuple[Mapping[str, Any], Listed, int, int | None]]:
    names = [Name.of(row["name"]) for row in parties]
    return [
        (party, entry, score, address_score(f"{party['address']} {party['city']}", entry.address))
        for party, alike in zip(parties, index.alike(names), strict=True)
        for entry, score in alike.items()
    ]


def index_of(stamp: int) -> Index:
    """Return the lists of this state, ready to be compared; read once a process."""
    if stamp not in _indexes:
        entries = [
            Listed(
                id=row["id"],
                version=row["version"],
                names=(row["name"], *row["aliases"]),
                address=f"{row['address']} {row['city']}".strip(),
                country=row["country"],
            )
            for row in records(ENTRIES)
        ]
        _indexes.clear()
        _indexes[stamp] = Index(entries)
    return _indexes[stamp]


def _standing(by_digest: Mapping[str, int]) -> dict[int, list[Standing]]:
    parties = sorted(set(by_digest.values()))
    names = dict(rows("SELECT id, name FROM orders_party WHERE id = ANY(%s)", [parties]))
    found: dict[int, list[Standing]] = {}
    for party, state, score, listed, code, at in rows(STANDING, {"parties": parties}):
        found.setdefault(party, []).append(Standing(state, score, listed, names[party], code, at))
    return found
