"""The ledger as the screens show it, and what proves it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from erp.kernel.sql import records

ENTRIES = """
    SELECT j.id, j.kind, j.cause_kind, j.cause_id, j.date, j.posted_at, j.memo, e.code AS entity,
           e.currency,
           coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '')
               AS posted_by
    FROM finance_journalentry j
    JOIN accounts_entity e ON e.id = j.entity_id
    LEFT JOIN accounts_user u ON u.id = j.posted_by_id
    WHERE j.entity_id = ANY(%(entities)s) {narrowed}
    ORDER BY j.id {direction}
    LIMIT %(limit)s
"""

LINES = """
    SELECT l.entry_id, a.code, a.name, l.debit, l.credit
    FROM finance_journalline l JOIN finance_account a ON a.id = l.account_id
    WHERE l.entry_id = ANY(%(entries)s)
    ORDER BY l.id
"""

BALANCES = """
    SELECT a.id, e.code AS entity, e.currency, a.code, a.name, a.kind, a.purpose,
           coalesce(t.debit, 0) AS debit, coalesce(t.credit, 0) AS credit,
           coalesce(t.debit - t.credit, 0) AS balance
    FROM finance_account a
    JOIN accounts_entity e ON e.id = a.entity_id
    LEFT JOIN (
        SELECT l.account_id, sum(l.debit) AS debit, sum(l.credit) AS credit
        FROM finance_journalline l
        JOIN finance_journalentry j ON j.id = l.entry_id
        WHERE j.entity_id = ANY(%(entities)s) AND j.date <= %(on)s
        GROUP BY l.account_id
    ) AS t ON t.account_id = a.id
    WHERE a.entity_id = ANY(%(entities)s)
    ORDER BY e.code, a.code
"""

TIE = """
    SELECT e.code AS entity, e.currency, %(purpose)s AS purpose, %(label)s AS label,
           coalesce(sub.value, 0) AS subledger, coalesce(gl.value, 0) AS ledger,
           coalesce(sub.value, 0) - coalesce(gl.value, 0) AS difference
    FROM accounts_entity e
    LEFT JOIN ({proof}) AS sub (entity_id, value) ON sub.entity_id = e.id
    LEFT JOIN (
        SELECT a.entity_id, sum(l.debit - l.credit) AS value
        FROM finance_account a JOIN finance_journalline l ON l.account_id = a.id
        WHERE a.purpose = %(purpose)s GROUP BY a.entity_id
    ) AS gl ON gl.entity_id = e.id
    WHERE e.id = ANY(%(entities)s)
    ORDER BY e.code
"""

PERIODS = """
    SELECT p.id, e.code AS entity, p.starts, p.ends, p.state, p.closed_at,
           (SELECT count(*) FROM finance_journalentry j
            WHERE j.entity_id = p.entity_id AND j.date >= p.starts AND j.date < p.ends) AS entries,
           (SELECT count(*) FROM finance_invoice i
            WHERE i.entity_id = p.entity_id AND i.state = 'draft'
              AND i.invoice_date >= p.starts AND i.invoice_date < p.ends) AS blockers
    FROM finance_period p JOIN accounts_entity e ON e.id = p.entity_id
    WHERE p.entity_id = ANY(%(entities)s)
    ORDER BY p.starts DESC, e.code
    LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a control account (by purpose) must equal: `statement` gives (entity, value) rows.

    A credit balance is negative.
    """

    code: str
    purpose: str
    label: str
    statement: str


PROOFS = [
    Proof(
        "receivable",
        "receivable",
        "Unpaid invoices",
        "SELECT entity_id, sum(total - paid) FROM finance_invoice WHERE state <> 'draft'"
        " GROUP BY entity_id",
    ),
    Proof(
        "receivable_on_accounts",
        "receivable",
        "Receivable on customers' accounts",
        "SELECT entity_id, sum(receivable) FROM orders_creditaccount GROUP BY entity_id",
    ),
    Proof(
        "unbilled",
        "unbilled",
        "Shipments not invoiced",
        "SELECT entity_id, sum(net) FROM finance_invoice WHERE state = 'draft' GROUP BY entity_id",
    ),
    Proof(
        "unbilled_on_accounts",
        "unbilled",
        "Unbilled on customers' accounts",
        "SELECT entity_id, sum(unbilled) FROM orders_creditaccount GROUP BY entity_id",
    ),
    Proof(
        "inventory",
        "inventory",
        "Stock at cost",
        "SELECT entity_id, sum(value) FROM inventory_productcost GROUP BY entity_id",
    ),
    Proof(
        "received",
        "received",
        "Receipts not billed",
        "SELECT r.entity_id, -sum(l.value) FROM inventory_receiptline l"
        " JOIN inventory_receipt r ON r.id = l.receipt_id"
        " WHERE r.source_kind = 'procurement.order' GROUP BY r.entity_id",
    ),
    Proof(
        "landed",
        "landed",
        "Late costs posted",
        "SELECT entity_id, -sum(amount) FROM inventory_latecost GROUP BY entity_id",
    ),
    Proof(
        "due_from",
        "due_from",
        "Sold to sister companies",
        "SELECT seller_id, sum(price) FROM finance_groupsale GROUP BY seller_id",
    ),
    Proof(
        "due_to",
        "due_to",
        "Bought from sister companies",
        "SELECT buyer_id, -sum(landed) FROM finance_groupsale GROUP BY buyer_id",
    ),
    Proof(
        "unapplied",
        "unapplied",
        "Payments not on an invoice",
        "SELECT entity_id, -sum(unapplied) FROM finance_payment GROUP BY entity_id",
    ),
    Proof(
        "unapplied_on_accounts",
        "unapplied",
        "Unapplied on customers' accounts",
        "SELECT entity_id, -sum(unapplied) FROM orders_creditaccount GROUP BY entity_id",
    ),
]


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One debit or credit, in the entity's currency."""

    code: str
    name: str
    debit: Decimal
    credit: Decimal


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One journal entry with its lines. `debit` is what both sides sum to."""

    id: int
    kind: str
    cause_kind: str
    cause_id: int
    date: date
    posted_at: datetime
    memo: str
    entity: str
    currency: str
    posted_by: str
    lines: Sequence[EntryLine]

    @property
    def debit(self) -> Decimal:
        return sum((line.debit for line in self.lines), Decimal(0))

    @property
    def credit(self) -> Decimal:
        return sum((line.credit for line in self.lines), Decimal(0))


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """One account's turnover up to a day. `balance` is debits less credits."""

    id: int
    entity: str
    currency: str
    code: str
    name: str
    kind: str
    purpose: str
    debit: Decimal
    credit: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True)
class TieOut:
    """A control account beside its sub-ledger. `difference` must be zero."""

    entity: str
    currency: str
    purpose: str
    label: str
    subledger: Decimal
    ledger: Decimal
    difference: Decimal


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """One month of one entity's books. `blockers` are its shipments that are not invoiced."""

    id: int
    entity: str
    starts: date
    ends: date
    state: str
    closed_at: datetime | None
    entries: int
    blockers: int


def journal(
    *,
    entity_ids: Collection[int],
    causes: Collection[tuple[str, int]] = (),
    account_id: int | None = None,
    after: int | None = None,
    limit: int = 100,
) -> list[EntryRow]:
    """Return entries, newest first, `after` an id; those of `causes` oldest first. Two queries."""
    narrowed, direction = [], "DESC"
    if causes:
        direction = "ASC"
        narrowed.append(
            "AND (j.cause_kind, j.cause_id) IN"
            " (SELECT * FROM unnest(%(kinds)s::text[], %(ids)s::bigint[]))"
        )
    if account_id is not None:
        narrowed.append(
            "AND EXISTS (SELECT FROM finance_journalline x"
            " WHERE x.entry_id = j.id AND x.account_id = %(account)s)"
        )
    if after is not None:
        narrowed.append("AND j.id < %(after)s")
    found = records(
        ENTRIES.format(narrowed=" ".join(narrowed), direction=direction),
        {
            "entities": sorted(entity_ids),
            "kinds": [kind for kind, _ in causes],
            "ids": [cause for _, cause in causes],
            "account": account_id,
            "after": after,
            "limit": limit,
        },
    )
    lines: dict[int, list[EntryLine]] = {row["id"]: [] for row in found}
    for row in records(LINES, {"entries": [*lines]}):
        lines[row.pop("entry_id")].append(EntryLine(**row))
    return [EntryRow(**row, lines=lines[row["id"]]) for row in found]


def journal_entry(*, entry_id: int, entity_ids: Collection[int]) -> EntryRow | None:
    """Return an entry by its id, or None. Two queries."""
    found = journal(entity_ids=entity_ids, after=entry_id + 1, limit=1)
    return found[0] if found and found[0].id == entry_id else None


def trial_balance(*, entity_ids: Collection[int], on: date) -> list[BalanceRow]:
    """Return every account's turnover up to and including a business day. One query."""
    params = {"entities": sorted(entity_ids), "on": on}
    return [BalanceRow(**row) for row in records(BALANCES, params)]


def tie_outs(*, entity_ids: Collection[int]) -> list[TieOut]:
    """Return each control account beside what proves it, by entity. A query for each proof."""
    found = []
    for proof in PROOFS:
        params = {
            "purpose": proof.purpose,
            "label": proof.label,
            "entities": sorted(entity_ids),
        }
        found += [TieOut(**row) for row in records(TIE.format(proof=proof.statement), params)]
    return sorted(found, key=lambda tie: tie.entity)


def periods(*, entity_ids: Collection[int], limit: int = 200) -> list[PeriodRow]:
    """Return the months of the books, the latest first. One query."""
    return [
        PeriodRow(**row)
        for row in records(PERIODS, {"entities": sorted(entity_ids), "limit": limit})
    ]
