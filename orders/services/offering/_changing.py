"""Groups, lists and promotions: what moves what people pay takes two people, as a price does."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from erp.accounts.models import User
from erp.governance.models import ChangeRequest
from erp.governance.services import (
    Decision,
    Question,
    ValueMoved,
    applies_changes,
    decide,
    request_change,
)
from orders.models import Customer, CustomerGroup, ListHolder, PriceList, Promotion
from orders.services._listing import (
    AnotherCompany,
    GroupRow,
    PriceListRow,
    PromotionRow,
    refuse_loop,
    save_price_masters,
)

POLICY = "orders.sensitive_change"
GROUP, PRICE_LIST, PROMOTION = "orders.customer_group", "orders.price_list", "orders.promotion"
# What may change about a promotion without anybody paying less.
HARMLESS = frozenset({"name", "valid_until", "is_active"})
NAMED = 20  # customers or groups that a request spells out
OfferRow = GroupRow | PriceListRow | PromotionRow
Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class OfferOutcome:
    """What became of a change: the ids of what was written now, and what waits for agreement."""

    changed: list[int]
    waiting: list[ChangeRequest]


@transaction.atomic
def change_offers(
    *,
    rows: Sequence[OfferRow],
    entity_id: int,
    actor: User | None,
    now: datetime,
    reason: str = "",
) -> OfferOutcome:
    """Change groups, lists and promotions: at once where the policy allows it, else by request.

    `entity_id` is where agreement to the change of a group is asked for: groups belong to no
    company. A request applies only if what it was asked about is still so.

    Raises:
        GroupLoop: a group would stand below itself, or too deep.
        AnotherCompany: a list would change its company or currency.
        NothingChanges: a change beyond the tolerance is what it is already.
    """
    changed: list[int] = []
    waiting: list[ChangeRequest] = []
    for row in rows:
        if isinstance(row, GroupRow):
            refuse_loop(row)
        was = _standing(row)
        (said,) = decide(
            policy=POLICY,
            questions=[Question(_entity(row, entity_id), _kind(row), 0, _facts(row, was))],
            now=now,
        )
        if not said.outcome["approval"]:
            changed += save_price_masters(rows=[row], actor=actor, now=now)
            continue
        waiting.append(_ask(row, was, said, _Asking(entity_id, actor, now, reason)))
    return OfferOutcome(changed, waiting)


@dataclass(frozen=True, slots=True)
class _Asking:
    """Who asks for a change, when, where and why."""

    entity_id: int
    actor: User | None
    now: datetime
    reason: str


def _ask(row: OfferRow, was: Plain, said: Decision, asking: _Asking) -> ChangeRequest:
    """Ask for agreement; what it was is part of the question."""
    before, after = _moved(row, was)
    key = f"{_kind(row)}|{row.code}|{getattr(row, 'entity_id', '')}"
    label = f"{row.code}: {_sentence(row, was)}"
    return request_change(
        entity_id=_entity(row, asking.entity_id),
        document_kind=_kind(row),
        document_id=int.from_bytes(hashlib.blake2b(key.encode(), digest_size=7).digest()),
        label=label,
        thread=f"{_kind(row)}:{row.code}",
        field=_field(row),
        before=before,
        after=after,
        payload={"row": _plain(row), "was": was},
        reason=asking.reason,
        permission=str(said.outcome["permission"]),
        role=str(said.outcome["role"]),
        requested_by=asking.actor,
        consequence=f"{label}. {asking.reason}".strip()[:300],
        policy_version=said.policy_version,
        now=asking.now,
    )


@applies_changes(GROUP)
def write_agreed_group(change: ChangeRequest, actor: User, now: datetime) -> None:
    """Write a group that was agreed to. ValueMoved where it is no longer what it was."""
    raw = change.payload["row"]
    _apply(GroupRow(**raw), change, actor, now)


@applies_changes(PRICE_LIST)
def write_agreed_list(change: ChangeRequest, actor: User, now: datetime) -> None:
    """Write a list that was agreed to. ValueMoved where it is no longer what it was."""
    _apply(PriceListRow(**change.payload["row"]), change, actor, now)


@applies_changes(PROMOTION)
def write_agreed_promotion(change: ChangeRequest, actor: User, now: datetime) -> None:
    """Write a promotion that was agreed to. ValueMoved where it is no longer what it was."""
    raw: Plain = dict(change.payload["row"])
    for each in ("min_quantity", "percent", "amount", "buy_quantity", "free_quantity"):
        raw[each] = Decimal(raw[each])
    raw["valid_from"] = date.fromisoformat(raw["valid_from"])
    raw["valid_until"] = raw["valid_until"] and date.fromisoformat(raw["valid_until"])
    _apply(PromotionRow(**raw), change, actor, now)


def _apply(row: OfferRow, change: ChangeRequest, actor: User, now: datetime) -> None:
    if _standing(row) != change.payload["was"]:
        raise ValueMoved(f"{row.code} was changed meanwhile: ask again.")
    save_price_masters(rows=[row], actor=actor, now=now)


def _kind(row: OfferRow) -> str:
    if isinstance(row, GroupRow):
        return GROUP
    return PRICE_LIST if isinstance(row, PriceListRow) else PROMOTION


def _field(row: OfferRow) -> str:
    return _kind(row).partition(".")[2]


def _entity(row: OfferRow, entity_id: int) -> int:
    return entity_id if isinstance(row, GroupRow) else row.entity_id


def _standing(row: OfferRow) -> Plain:
    """Lock and return what is kept under the row's code, in the row's own shape; empty: nothing."""
    if isinstance(row, PromotionRow):
        kept = (
            Promotion.objects.select_for_update()
            .filter(entity_id=row.entity_id, code=row.code)
            .values(*(each.name for each in fields(row)))
        )
        return {name: _text(value) for name, value in (kept.first() or {}).items()}
    if isinstance(row, GroupRow):
        group = CustomerGroup.objects.select_for_update().filter(code=row.code).first()
        if group is None:
            return {}
        members = Customer.objects.filter(group=group).order_by("pk").values_list("pk", flat=True)
        return {"name": group.name, "parent_id": group.parent_id, "members": list(members)}
    known = PriceList.objects.select_for_update().filter(code=row.code).first()
    if known is None:
        return {}
    if (known.entity_id, known.currency) != (row.entity_id, row.currency):
        raise AnotherCompany(f"{row.code} stays with its company and currency.")
    held = ListHolder.objects.filter(price_list=known).order_by("position", "pk")
    return {
        "name": known.name,
        "is_active": known.is_active,
        "customers": [each for each in held.values_list("customer_id", flat=True) if each],
        "groups": [each for each in held.values_list("group_id", flat=True) if each],
    }


def _facts(row: OfferRow, was: Plain) -> dict[str, Any]:
    """Return what the policy asks: how much it gives as a share, how many it moves."""
    share: Decimal | None = None
    moved = 1
    if isinstance(row, PromotionRow):
        share = row.percent if row.kind == "percent" else None
        if not _gives_more(row, was):
            share = Decimal(0)
    else:
        moved = _reached(row, was)
    kind = row.kind if isinstance(row, PromotionRow) else ""
    return {"field": _field(row), "kind": kind, "share": share, "rows": moved}


def _gives_more(row: PromotionRow, was: Plain) -> bool:
    """Tell whether anybody could pay less by it: it is new, other, longer, or on again."""
    if not row.is_active:
        return False
    if not was or not was["is_active"]:
        return True
    if any(was[name] != value for name, value in _plain(row).items() if name not in HARMLESS):
        return True
    until = was["valid_until"]
    return until is not None and (row.valid_until is None or row.valid_until.isoformat() > until)


def _reached(row: GroupRow | PriceListRow, was: Plain) -> int:
    """Return how many customers and groups buy by other prices afterwards."""
    held = _held(row)
    moved = sum(len(gone) + len(come) for gone, come in (_differ(row, was, n) for n in held))
    everybody = sum(len(was.get(name, ())) for name in held)
    if isinstance(row, GroupRow):
        return moved + (everybody if was and was["parent_id"] != row.parent_id else 0)
    # Turned on or off, or asked in another turn, it changes what every holder pays.
    in_turn = all(list(getattr(row, n) or ()) == was.get(n, []) for n in held)
    is_other = bool(was) and (was["is_active"] != row.is_active or not in_turn)
    return moved + (everybody if is_other else 0)


def _held(row: GroupRow | PriceListRow) -> list[str]:
    """Return which of its own the row means to replace."""
    names = ("members",) if isinstance(row, GroupRow) else ("customers", "groups")
    return [name for name in names if getattr(row, name) is not None]


def _differ(row: GroupRow | PriceListRow, was: Plain, name: str) -> tuple[set[int], set[int]]:
    """Return who would no longer be among them, and who would be new."""
    before, after = set(was.get(name, ())), set(getattr(row, name) or ())
    return before - after, after - before


def _moved(row: OfferRow, was: Plain) -> tuple[Plain, Plain]:
    """Return the values that would change as they are and as they would be, in codes."""
    if isinstance(row, PromotionRow):
        wanted = _plain(row)
        names = [n for n in wanted if was.get(n) != wanted[n] and (was or wanted[n])]
        return {n: was.get(n) for n in names}, {n: wanted[n] for n in names}
    before: Plain = {}
    after: Plain = {}
    for name in ("name", "parent_id", "is_active"):
        if hasattr(row, name) and was.get(name) != getattr(row, name):
            before[name], after[name] = was.get(name), getattr(row, name)
    for name in _held(row):
        if was.get(name, []) != list(getattr(row, name)):
            before[name] = _codes(name, was.get(name, []))
            after[name] = _codes(name, list(getattr(row, name)))
    return before, after


def _sentence(row: OfferRow, was: Plain) -> str:
    """Say what would happen in words, for who decides."""
    if isinstance(row, PromotionRow):
        return _promise(row)
    parts = []
    for name in _held(row):
        gone, come = _differ(row, was, name)
        for sign, ids in (("+", come), ("-", gone)):
            if ids:
                parts.append(f"{sign}{', '.join(_codes(name, sorted(ids)))}")
    if isinstance(row, PriceListRow) and was and was["is_active"] != row.is_active:
        parts.append("on" if row.is_active else "off")
    if isinstance(row, GroupRow) and was and was["parent_id"] != row.parent_id:
        parts.append("below another group")
    return "; ".join(parts) or "another turn of preference"


def _promise(row: PromotionRow) -> str:
    said = {
        "percent": f"{(row.percent * 100).normalize():f} % off",
        "amount": f"{row.amount.normalize():f} {row.currency} off a base unit",
        "free": f"{row.free_quantity.normalize():f} free with {row.buy_quantity.normalize():f}",
    }[row.kind]
    until = f" until {row.valid_until:%Y-%m-%d}" if row.valid_until else ", with no end"
    return f"{said} from {row.valid_from:%Y-%m-%d}{until}"


def _codes(name: str, ids: Sequence[int]) -> list[str]:
    """Return codes in the order of their ids; after the first twenty how many more."""
    model = CustomerGroup if name == "groups" else Customer
    known = dict(model.objects.filter(pk__in=ids[:NAMED]).values_list("pk", "code"))
    more = [f"and {len(ids) - NAMED} more"] if len(ids) > NAMED else []
    return [known[each] for each in ids[:NAMED] if each in known] + more


def _plain(row: OfferRow) -> Plain:
    values: Mapping[str, Any] = {each.name: getattr(row, each.name) for each in fields(row)}
    return {name: _text(value) for name, value in values.items()}


def _text(value: Any) -> Any:
    """Return a value as JSON keeps it, so that equal ones are equal text."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, list | tuple | set | frozenset) else value
