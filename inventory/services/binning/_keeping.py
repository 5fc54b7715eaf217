"""Keeps the bins of a node."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from django.db import transaction

from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.quantity import QUANTITY_MAX
from erp.kernel.sql import rows
from inventory.models import Bin
from inventory.rules import countable
from inventory.services._keeping import BadMasterData

if TYPE_CHECKING:
    from erp.accounts.models import User

CODE_LENGTH = 20
SEQUENCE_MAX = 2**31 - 1
KIND = "inventory.bin"


class BinInUse(DomainError):
    """A bin in which something lies keeps its kind and stays in use."""

    code: ClassVar[str] = "bin_in_use"

    def __init__(self, bin_code: str, field: str) -> None:
        super().__init__(f"Something lies in {bin_code}: move it elsewhere first.")
        self.bin_code = bin_code
        self.errors = [{"field": field, "code": self.code, "message": str(self)}]


@dataclass(frozen=True, slots=True, kw_only=True)
class BinDraft:
    """A bin as it should be. `capacity` (None: without bound) and `minimum` are base units."""

    node_id: int
    code: str
    kind: str = "reserve"
    sequence: int = 0
    capacity: Decimal | None = None
    product_id: int | None = None
    minimum: Decimal = Decimal(0)
    is_active: bool = True


UPSERT = """
    INSERT INTO inventory_bin AS kept (node_id, code, kind, sequence, capacity, product_id, minimum,
        is_active)
    SELECT * FROM unnest(%(node_id)s::bigint[], %(code)s::text[], %(kind)s::text[],
        %(sequence)s::int[], %(capacity)s::numeric[], %(product_id)s::bigint[],
        %(minimum)s::numeric[], %(is_active)s::boolean[]
    ) AS d (node_id, code, kind, sequence, capacity, product_id, minimum, is_active)
    ORDER BY node_id, code
    ON CONFLICT (node_id, code) DO UPDATE SET kind = excluded.kind, sequence = excluded.sequence,
        capacity = excluded.capacity, product_id = excluded.product_id,
        minimum = excluded.minimum, is_active = excluded.is_active
    WHERE (kept.kind, kept.sequence, kept.capacity, kept.product_id, kept.minimum, kept.is_active)
        IS DISTINCT FROM (excluded.kind, excluded.sequence, excluded.capacity, excluded.product_id,
            excluded.minimum, excluded.is_active)
    RETURNING id, node_id, code, xmax = 0
"""

# The lock keeps others from putting something in while the bin changes.
IN_USE = """
    SELECT b.code, b.kind <> d.kind
    FROM unnest(%(node_id)s::bigint[], %(code)s::text[], %(kind)s::text[], %(is_active)s::boolean[])
        AS d (node_id, code, kind, is_active)
    JOIN inventory_bin b ON b.node_id = d.node_id AND b.code = d.code
    WHERE (b.kind <> d.kind OR b.is_active AND NOT d.is_active)
        AND EXISTS (SELECT FROM inventory_binstock l WHERE l.bin_id = b.id)
    LIMIT 1
"""
LOCK = """
    SELECT b.id FROM unnest(%(node_id)s::bigint[], %(code)s::text[]) AS d (node_id, code)
    JOIN inventory_bin b ON b.node_id = d.node_id AND b.code = d.code
    ORDER BY b.id FOR NO KEY UPDATE OF b
"""
OWNERS = "SELECT id, entity_id FROM inventory_node WHERE id = ANY(%s)"


@transaction.atomic
def upsert_bins(
    *, drafts: Sequence[BinDraft], actor: "User | None", now: datetime
) -> dict[tuple[int, str], int]:
    """Add or change bins by node and code, all or none; return every bin's id.

    A few statements for thousands. What is as it should be is left alone and not audited. The last
    of several drafts of one bin counts. Locks bins in id order.

    Raises:
        BadMasterData: a field of one of them cannot be kept.
        BinInUse: something lies in a bin that is to change its kind or to go out of use.
    """
    for place, draft in enumerate(drafts):
        for field, sentence in _faults(draft):
            raise BadMasterData(place, field, sentence)
    latest = {(draft.node_id, draft.code): draft for draft in drafts}
    if not latest:
        return {}
    params = {
        field.name: [getattr(draft, field.name) for draft in latest.values()]
        for field in fields(BinDraft)
    }
    rows(LOCK, params)
    for code, is_kind in rows(IN_USE, params):
        raise BinInUse(code, "kind" if is_kind else "is_active")
    owners = dict(rows(OWNERS, [params["node_id"]]))
    changes = [
        Change(
            entity_id=owners[node_id],
            action="inventory.add" if is_new else "inventory.change",
            subject_kind=KIND,
            subject_id=bin_id,
            thread=f"inventory.node:{node_id}",
            after=_told(latest[node_id, code]),
        )
        for bin_id, node_id, code, is_new in rows(UPSERT, params)
    ]
    record(changes=changes, actor=actor, now=now)
    found = Bin.objects.filter(node_id__in=owners, code__in=params["code"])
    return {
        (node_id, code): bin_id
        for node_id, code, bin_id in found.values_list("node_id", "code", "pk")
        if (node_id, code) in latest
    }


@transaction.atomic
def save_bin(*, draft: BinDraft, actor: "User | None", now: datetime) -> int:
    """Add or change one bin by node and code; return its id.

    Raises:
        BadMasterData: one of its fields cannot be kept.
        BinInUse: something lies in it, and it is to change its kind or to go out of use.
    """
    return upsert_bins(drafts=[draft], actor=actor, now=now)[draft.node_id, draft.code]


def _faults(draft: BinDraft) -> Iterator[tuple[str, str]]:
    if not draft.code.strip() or len(draft.code) > CODE_LENGTH or {"\0", "/"} & {*draft.code}:
        yield "code", f"It has 1 to {CODE_LENGTH} characters, and no slash."
    if draft.kind not in Bin.Kind.values:
        yield "kind", "It is pick_face, reserve, receiving or quarantine."
    if not 0 <= draft.sequence <= SEQUENCE_MAX:
        yield "sequence", "It is a whole number, zero or more."
    capacity, minimum = draft.capacity, draft.minimum
    if capacity is not None and not (countable(capacity) and 0 < capacity <= QUANTITY_MAX):
        yield "capacity", "It is above zero, in base units, or not set."
    if not (countable(minimum) and 0 <= minimum <= QUANTITY_MAX):
        yield "minimum", "It is zero or more, in base units."
    elif capacity is not None and minimum > capacity:
        yield "minimum", "More than the bin holds."
    elif minimum and draft.product_id is None:
        yield "minimum", "Only a pick face that is the home of a product has one."
    if draft.product_id is not None and draft.kind != Bin.Kind.PICK_FACE:
        yield "product", "Only a pick face is the home of a product."


def _told(draft: BinDraft) -> dict[str, object]:
    return {
        "node_id": draft.node_id,
        "code": draft.code,
        "kind": draft.kind,
        "sequence": draft.sequence,
        "capacity": "" if draft.capacity is None else f"{draft.capacity:f}",
        "product_id": draft.product_id,
        "minimum": f"{draft.minimum:f}",
        "is_active": draft.is_active,
    }
