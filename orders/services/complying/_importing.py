"""Takes denied-party lists over from their publishers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.sql import rows, run
from orders.models import Order, PartyList
from orders.rules.listing import ListEntry

LISTING_LOCK = 7_041_813

# What left the list before and comes back is another version: it is asked about anew.
UPSERT = """
    WITH wanted AS (
        SELECT reference, name, ARRAY(SELECT jsonb_array_elements_text(aliases)) AS aliases,
               address, city, country, programme
        FROM unnest(%(references)s::text[], %(names)s::text[], %(aliases)s::jsonb[],
            %(addresses)s::text[], %(cities)s::text[], %(countries)s::text[],
            %(programmes)s::text[])
            AS e (reference, name, aliases, address, city, country, programme)
    )
    INSERT INTO orders_deniedparty AS d (party_list_id, reference, name, aliases, address, city,
        country, programme, version, changed_stamp)
    SELECT %(list)s, w.*, 1, %(stamp)s FROM wanted w ORDER BY reference
    ON CONFLICT (party_list_id, reference) DO UPDATE SET
        name = excluded.name, aliases = excluded.aliases, address = excluded.address,
        city = excluded.city, country = excluded.country, programme = excluded.programme,
        version = d.version + 1, changed_stamp = excluded.changed_stamp, removed_at = NULL
    WHERE d.removed_at IS NOT NULL
       OR (d.name, d.aliases, d.address, d.city, d.country, d.programme) IS DISTINCT FROM
          (excluded.name, excluded.aliases, excluded.address, excluded.city, excluded.country,
           excluded.programme)
    RETURNING xmax = 0
"""
REMOVE = """
    UPDATE orders_deniedparty SET removed_at = %(now)s, changed_stamp = %(stamp)s
    WHERE party_list_id = %(list)s AND removed_at IS NULL
      AND NOT (reference = ANY(%(references)s))
"""
BEGIN = """
    INSERT INTO orders_screening (stamp, cause, step, after_id, total, done, matches, holds,
        started_at)
    SELECT %(stamp)s, %(cause)s, 'customers', 0,
        (SELECT count(*) FROM orders_customer) + (SELECT count(*) FROM orders_order
         WHERE state = ANY(%(open)s)), 0, 0, 0, %(now)s
"""


class EmptyList(DomainError):
    """A list without entries would clear everybody: it is taken for a mistake."""

    code: ClassVar[str] = "empty_list"


@dataclass(frozen=True, slots=True)
class ImportedList:
    """What an import came to; nothing changed: the version stays and nobody is screened again."""

    id: int
    code: str
    version: int
    added: int
    changed: int
    removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyListRow:
    """A denied-party list as it should be, known by its code."""

    code: str
    name: str
    entries: Sequence[ListEntry]


def import_party_list(row: PartyListRow, actor: User | None, now: datetime) -> ImportedList:
    """Make a list hold exactly these entries, and have everybody screened again if it changed.

    An entry that differs gets another version, one that is missing is removed. A few statements
    for tens of thousands. Imports run one after the other.

    Raises:
        EmptyList: there are no entries.
    """
    code, name, entries = row.code, row.name, row.entries
    if not entries:
        raise EmptyList("The list has no entries; nothing was changed.")
    rows("SELECT pg_advisory_xact_lock(%(key)s)", {"key": LISTING_LOCK})
    known, _ = PartyList.objects.get_or_create(code=code, defaults={"name": name})
    stamp = next_stamp()
    told = rows(
        UPSERT,
        {
            "list": known.pk,
            "stamp": stamp,
            "references": [each.reference for each in entries],
            "names": [each.name for each in entries],
            "aliases": [json.dumps(each.aliases) for each in entries],
            "addresses": [each.address for each in entries],
            "cities": [each.city for each in entries],
            "countries": [each.country for each in entries],
            "programmes": [each.programme for each in entries],
        },
    )
    gone = {"list": known.pk, "now": now, "stamp": stamp}
    removed = run(REMOVE, gone | {"references": [each.reference for each in entries]})
    added = sum(is_new for (is_new,) in told)
    if told or removed:
        known.version += 1
        begin_screening(stamp, f"{code} version {known.version}", now)
    known.name, known.entries, known.imported_at = name, len(entries), now
    known.save(update_fields=["name", "version", "entries", "imported_at"])
    found = ImportedList(known.pk, code, known.version, added, len(told) - added, removed)
    change = Change(
        entity_id=None,
        action="orders.import_party_list",
        subject_kind="orders.partylist",
        subject_id=known.pk,
        thread=f"orders.partylist:{known.pk}",
        after={
            "version": found.version,
            "entries": len(entries),
            "added": found.added,
            "changed": found.changed,
            "removed": found.removed,
        },
    )
    record(changes=[change], actor=actor, now=now)
    return found


def next_stamp() -> int:
    """Return the number of the next state of all lists; never one that was given before."""
    return int(rows("SELECT nextval(pg_get_serial_sequence('orders_screening', 'id'))")[0][0])


def begin_screening(stamp: int, cause: str, now: datetime) -> None:
    """Have all customers and open orders walked over; `compare_parties` does it in batches."""
    params = {"stamp": stamp, "cause": cause[:200], "now": now, "open": [*Order.OPEN, *Order.GONE]}
    run(BEGIN, params)
