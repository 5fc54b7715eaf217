"""Proving the audit trail's chains: each entry as it was sealed, each seal bound to the last."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from erp.accounts.models import Entity
from erp.governance.models import AuditEntry, AuditSeal, AuditSealing
from erp.kernel.sql import records

# What is sealed of an entry `a`: all its columns as one JSON array, times in UTC.
LEAF = """sha256(convert_to(jsonb_build_array(
    a.id, to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), a.entity_id, a.actor_id,
    a.actor_kind, a.on_behalf_of_id, a.action, a.subject_kind, a.subject_id, a.thread, a.before,
    a.after, a.reason, a.request_id, a.policy_version)::text, 'UTF8'))"""
HEAD = """sha256(s.previous || convert_to(concat_ws('|',
    coalesce(s.entity_id::text, ''), s.number, s.after, s.upto, s.count), 'UTF8') || (
    SELECT sha256(string_agg(x.leaf, ''::bytea ORDER BY x.place))
    FROM unnest(s.leaves) WITH ORDINALITY AS x (leaf, place)))"""

ENTRIES = f"""
    WITH leaf AS (
        SELECT s.number, s.entity_id, u.id, u.leaf
        FROM governance_auditseal s
        CROSS JOIN LATERAL unnest(s.entry_ids, s.leaves) AS u (id, leaf)
        WHERE s.upto > %(after)s AND s.upto <= %(upto)s
    ), entry AS (
        SELECT a.id, a.entity_id, {LEAF} AS leaf
        FROM governance_auditentry a
        WHERE a.id > %(after)s AND a.id <= %(upto)s
    )
    SELECT coalesce(leaf.id, entry.id) AS entry_id, leaf.number,
           CASE WHEN leaf.id IS NULL THEN entry.entity_id ELSE leaf.entity_id END AS entity_id,
           CASE WHEN entry.id IS NULL THEN 'deleted' WHEN leaf.id IS NULL THEN 'inserted'
                ELSE 'changed' END AS kind
    FROM leaf FULL JOIN entry ON entry.id = leaf.id
    WHERE leaf.leaf IS DISTINCT FROM entry.leaf
    ORDER BY 1
"""  # noqa: S608  the parts are our own
SEALS = f"""
    SELECT s.entry_ids[1] AS entry_id, s.number, s.entity_id,
           CASE WHEN s.number <> s.known + 1 THEN 'seal missing before'
                WHEN s.previous <> s.last_head THEN 'seal not bound to the one before'
                ELSE 'seal changed' END AS kind
    FROM (
        SELECT k.*, coalesce(lag(k.number) OVER chain, 0) AS known,
               coalesce(lag(k.head) OVER chain, ''::bytea) AS last_head
        FROM governance_auditseal k
        WINDOW chain AS (PARTITION BY k.entity_id ORDER BY k.number)
    ) AS s
    WHERE s.number <> s.known + 1 OR s.previous <> s.last_head OR s.head <> {HEAD}
       OR s.count <> cardinality(s.entry_ids) OR s.count <> cardinality(s.leaves)
    ORDER BY 1
"""  # noqa: S608  the parts are our own
# A round that is gone altogether leaves a gap between the others.
GAPS = """
    SELECT r.after + 1 AS entry_id, NULL::int AS number, NULL::bigint AS entity_id,
           'round of seals missing' AS kind
    FROM (
        SELECT after, coalesce(lag(upto) OVER (ORDER BY upto), 0) AS reached
        FROM (SELECT DISTINCT after, upto FROM governance_auditseal) AS each
    ) AS r
    WHERE r.after <> r.reached
    ORDER BY 1
"""
# The chains end where the register of heads says.
TAILS = """
    SELECT coalesce(k.upto, 0) + 1 AS entry_id, (h.value ->> 'number')::int AS number,
           nullif(h.key, '')::bigint AS entity_id, 'tail cut' AS kind
    FROM governance_auditsealing w
    CROSS JOIN LATERAL jsonb_each(w.heads) AS h
    LEFT JOIN LATERAL (
        SELECT number, upto, head FROM governance_auditseal s
        WHERE s.entity_id IS NOT DISTINCT FROM nullif(h.key, '')::bigint
        ORDER BY number DESC LIMIT 1
    ) AS k ON true
    WHERE k.number IS NULL OR k.number <> (h.value ->> 'number')::int
       OR encode(k.head, 'hex') <> h.value ->> 'head'
    UNION ALL
    SELECT s.entry_ids[1], s.number, s.entity_id, 'register of heads gone'
    FROM governance_auditseal s
    WHERE s.number = 1 AND NOT EXISTS (
        SELECT FROM governance_auditsealing w
        WHERE w.heads ? coalesce(s.entity_id::text, ''))
    ORDER BY 1
"""
ROUNDS_AT_ONCE = 20
BROKEN_MAX = 20
EVERYTHING = {"after": "0", "upto": "(SELECT coalesce(max(upto), 0) FROM governance_auditseal)"}
# For `verify`: the same, whole, in one statement.
BROKEN = " UNION ALL ".join(
    f"SELECT kind, entry_id, number, entity_id FROM ({part % EVERYTHING}) AS part"  # noqa: S608
    for part in (SEALS.replace("%", "%%"), GAPS, TAILS, ENTRIES)
)


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """Where a chain is not what was sealed. `chain` is an entity's code; the house's is "house".

    `kind` says how: an entry changed, deleted or inserted; a seal missing, changed or not bound;
    the tail cut. `seal` is null where no seal knows the entry.
    """

    kind: str
    entry_id: int
    seal: int | None
    chain: str

    def __str__(self) -> str:
        seal = f", seal {self.seal}" if self.seal is not None else ""
        return f"{self.kind}: entry {self.entry_id}{seal} of chain {self.chain}"


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The last seal of one chain. Whoever keeps it elsewhere can tell a chain written anew."""

    chain: str
    number: int
    head: str
    upto: int


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What proving the chains found: `broken` in order of importance, the first link first."""

    is_whole: bool
    sealed: int
    unsealed: int
    seals: int
    heads: Sequence[ChainHead]
    broken: Sequence[BrokenLink]


def audit_heads(entity_ids: Collection[int] | None = None) -> list[ChainHead]:
    """Return the last seal of the house's chain and of those of `entity_ids` (None: of all)."""
    last = AuditSeal.objects.order_by("entity_id", "-number").distinct("entity_id")
    codes = _codes()
    return [
        ChainHead(codes[seal.entity_id], seal.number, bytes(seal.head).hex(), seal.upto)
        for seal in last.defer("entry_ids", "leaves")
        if seal.entity_id is None or entity_ids is None or seal.entity_id in entity_ids
    ]


def verify_audit(
    *,
    entity_ids: Collection[int] | None = None,
    heads: Iterable[Mapping[str, Any]] = (),
) -> ChainReport:
    """Prove every chain, and that each of `heads` (chain, number, head), kept elsewhere, is in it.

    Reads the whole trail, a hundred thousand entries at a time. Links of other entities' chains
    than `entity_ids` (None: all) are left out. Seals come before entries: a broken seal explains
    its entries.
    """
    codes = _codes()
    found = [*records(SEALS), *records(GAPS), *records(TAILS), *_strangers(heads, codes)]
    for after, upto in _ranges():
        found += records(ENTRIES, {"after": after, "upto": upto})
        if len(found) >= BROKEN_MAX:
            break
    broken = [
        BrokenLink(
            each["kind"], each["entry_id"], each["number"], codes.get(each["entity_id"], "?")
        )
        for each in found
        if entity_ids is None or each["entity_id"] is None or each["entity_id"] in entity_ids
    ]
    sealed_to = AuditSealing.objects.values_list("upto", flat=True).first() or 0
    return ChainReport(
        is_whole=not broken,
        sealed=sum(AuditSeal.objects.values_list("count", flat=True)),
        unsealed=AuditEntry.objects.filter(pk__gt=sealed_to).count(),
        seals=AuditSeal.objects.count(),
        heads=audit_heads(entity_ids),
        broken=broken[:BROKEN_MAX],
    )


def _strangers(
    heads: Iterable[Mapping[str, Any]], codes: Mapping[int | None, str]
) -> Iterator[dict[str, Any]]:
    """Yield the heads kept elsewhere that are in no chain: it was cut or written anew since."""
    ids = {code: pk for pk, code in codes.items()}
    for kept in heads:
        entity_id = ids.get(kept["chain"])
        seal = AuditSeal.objects.filter(entity=entity_id, number=kept["number"]).first()
        if seal is None or bytes(seal.head).hex() != kept["head"]:
            yield {
                "kind": "not the head that was kept",
                "entry_id": seal.entry_ids[0] if seal else 0,
                "number": kept["number"],
                "entity_id": entity_id,
            }


def _ranges() -> Iterator[tuple[int, int]]:
    """Yield the ids between which whole rounds of seals lie."""
    ends = list(AuditSeal.objects.order_by("upto").values_list("upto", flat=True).distinct())
    after = 0
    for last in range(ROUNDS_AT_ONCE - 1, len(ends) + ROUNDS_AT_ONCE - 1, ROUNDS_AT_ONCE):
        upto = ends[min(last, len(ends) - 1)]
        yield after, upto
        after = upto


def _codes() -> dict[int | None, str]:
    return {None: "house", **dict(Entity.objects.values_list("pk", "code"))}
