"""Keeps segments, and what is protected for them."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from erp.governance.services import Change, record
from erp.kernel.quantity import QUANTITY_MAX, STEP
from inventory.models import Node, Product, Protection, Segment
from inventory.services._keeping import BadMasterData

if TYPE_CHECKING:
    from erp.accounts.models import User

CODE = re.compile(r"[^\s\0/]{1,40}")
RANK_MAX = 999
REASON_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentDraft:
    """A segment as it is to be; `parent` by code, empty for one at the top."""

    code: str
    name: str
    parent: str = ""
    rank: int = 1
    lends: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionDraft:
    """What is to be kept, in base units, from the first day through the last (UTC).

    Segment, product and node by code; without a node it is of all of them, without `cap` the
    segment gets as much as there is.
    """

    segment: str
    entity_id: int
    product: str
    first_day: date
    last_day: date
    floor: Decimal = Decimal(0)
    cap: Decimal | None = None
    node: str = ""
    reason: str = ""


@transaction.atomic
def save_segment(*, draft: SegmentDraft, actor: "User | None", now: datetime) -> int:
    """Add a segment or change it by code; return its id. Locks all segments, so no ring is made.

    Raises:
        BadMasterData: one of its fields cannot be kept.
    """
    tree = {each.code: each for each in Segment.objects.select_for_update().order_by("pk")}
    _refuse_segment(draft, tree)
    above = tree[draft.parent] if draft.parent else None
    wanted = {"name": draft.name.strip(), "rank": draft.rank, "lends": draft.lends}
    kept = tree.get(draft.code) or Segment(code=draft.code)
    is_new = kept.pk is None
    before = {} if is_new else {**{name: getattr(kept, name) for name in wanted}}
    before |= {} if is_new else {"parent": kept.parent_id}
    for name, value in wanted.items():
        setattr(kept, name, value)
    kept.parent = above
    after = {**wanted, "parent": above and above.pk}
    if before != after:
        kept.save()
        said = _change("inventory.segment", kept, before, {**after, "code": draft.code})
        record(changes=[said], actor=actor, now=now)
    return kept.pk


@transaction.atomic
def save_protection(*, draft: ProtectionDraft, actor: "User | None", now: datetime) -> int:
    """Keep so much for a segment, or change what is kept of the same thing from the same day on.

    What it was given in the period before counts.

    Raises:
        BadMasterData: one of its fields cannot be kept, or another one covers some of these days.
    """
    segment = Segment.objects.filter(code=draft.segment).first()
    product = Product.objects.filter(code=draft.product.strip().upper()).first()
    node = Node.objects.filter(code=draft.node.strip()).first() if draft.node.strip() else None
    for field, found in (("segment", segment), ("product", product)):
        if found is None:
            raise BadMasterData(0, field, "There is no such thing.")
    if draft.node.strip() and node is None:
        raise BadMasterData(0, "node", "There is no such node.")
    _refuse_amounts(draft)
    assert segment is not None and product is not None  # noqa: PT018  refused above
    key = {
        "segment": segment, "entity_id": draft.entity_id, "product": product, "node": node,
        "first_day": draft.first_day,
    }  # fmt: skip
    wanted = {
        "last_day": draft.last_day, "floor": draft.floor, "cap": draft.cap,
        "reason": draft.reason.strip(),
    }  # fmt: skip
    kept = Protection.objects.select_for_update().filter(**key).first()
    before = {} if kept is None else {name: getattr(kept, name) for name in wanted}
    kept = kept or Protection(**key)
    for name, value in wanted.items():
        setattr(kept, name, value)
    if before != wanted:
        _save(kept)
        said = {
            **wanted, "segment": segment.code, "product": product.code,
            "node": node.code if node else "", "first_day": draft.first_day,
        }  # fmt: skip
        change = _change("inventory.protect", kept, before, said)
        record(changes=[change], actor=actor, now=now)
    return kept.pk


@transaction.atomic
def end_protection(
    *, protection_id: int, last_day: date, reason: str, actor: "User | None", now: datetime
) -> None:
    """Let it end on a day before it would have; what began later than that day never was.

    Raises:
        Protection.DoesNotExist: there is none such.
        BadMasterData: it ends before that day anyhow.
    """
    kept = Protection.objects.select_for_update().get(pk=protection_id)
    if last_day > kept.last_day:
        raise BadMasterData(0, "last_day", "It ends before: write another one for later.")
    before = {"last_day": kept.last_day}
    after = {"last_day": last_day, "reason": reason.strip()[:REASON_MAX]}
    change = _change("inventory.unprotect", kept, before, after)
    record(changes=[change], actor=actor, now=now)
    if last_day < kept.first_day:
        kept.delete()
        return
    kept.last_day = last_day
    kept.save(update_fields=["last_day"])


def _save(kept: Protection) -> None:
    try:
        with transaction.atomic():
            kept.save()
    except IntegrityError as refusal:
        if "one_at_a_time" not in str(refusal):
            raise
        said = "Some of these days are covered by another one of the same segment and product."
        raise BadMasterData(0, "first_day", said) from refusal


def _refuse_segment(draft: SegmentDraft, tree: dict[str, Segment]) -> None:
    if not CODE.fullmatch(draft.code):
        raise BadMasterData(0, "code", "One word of at most 40 characters, without a slash.")
    if not 0 < len(draft.name.strip()) <= REASON_MAX or "\0" in draft.name:
        raise BadMasterData(0, "name", "Say in a few words who they are.")
    if not 0 <= draft.rank <= RANK_MAX:
        raise BadMasterData(0, "rank", f"A whole number from 0 to {RANK_MAX}.")
    if draft.parent and draft.parent not in tree:
        raise BadMasterData(0, "parent", "There is no such segment.")
    codes, up = {each.pk: each.code for each in tree.values()}, draft.parent
    while up:
        if up == draft.code:
            raise BadMasterData(0, "parent", "It would stand below itself.")
        up = codes.get(tree[up].parent_id or 0, "")


def _refuse_amounts(draft: ProtectionDraft) -> None:
    if not _is_quantity(draft.floor):
        raise BadMasterData(0, "floor", "Zero or more, to a thousandth.")
    if draft.cap is not None:
        if not _is_quantity(draft.cap):
            raise BadMasterData(0, "cap", "Zero or more, to a thousandth.")
        if draft.cap < draft.floor:
            raise BadMasterData(0, "cap", "It is no less than what is kept.")
    if not draft.floor and draft.cap is None:
        raise BadMasterData(0, "floor", "Keep something, or say how much is the most.")
    if draft.last_day < draft.first_day:
        raise BadMasterData(0, "last_day", "It ends before it begins.")
    if len(draft.reason) > REASON_MAX or "\0" in draft.reason:
        raise BadMasterData(0, "reason", f"At most {REASON_MAX} characters.")


def _is_quantity(value: Decimal) -> bool:
    return value.is_finite() and 0 <= value <= QUANTITY_MAX and value % STEP == 0


def _change(
    action: str, kept: Segment | Protection, before: dict[str, Any], after: dict[str, Any]
) -> Change:
    kind = f"inventory.{type(kept).__name__.lower()}"
    return Change(
        entity_id=getattr(kept, "entity_id", None),
        action=action,
        subject_kind=kind,
        subject_id=kept.pk,
        thread=f"{kind}:{kept.pk}",
        before=_plain(before),
        after=_plain(after),
    )


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: f"{value:f}" if isinstance(value, Decimal)
        else value.isoformat() if isinstance(value, date) else value
        for name, value in values.items()
    }  # fmt: skip
