"""Keeps what prices hang on: groups, lists and their holders, promotions, part numbers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

from django.db import models, transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from orders.models import (
    Customer,
    CustomerGroup,
    CustomerProduct,
    ListHolder,
    PriceList,
    Promotion,
)

DEPTH_MAX = 10
M = TypeVar("M", bound=models.Model)


class GroupLoop(DomainError):
    """A group cannot stand below itself, nor ten levels deep."""

    code: ClassVar[str] = "group_loop"


class AnotherCompany(DomainError):
    """A list keeps its company and currency: its prices are in that."""

    code: ClassVar[str] = "another_company"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """A customer group as it should be; `members` none leaves them as they are."""

    code: str
    name: str
    parent_id: int | None = None
    members: Collection[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceListRow:
    """A price list as it should be; holders, in turn of preference, replace those there were."""

    entity_id: int
    code: str
    name: str
    currency: str
    is_active: bool = True
    customers: Sequence[int] | None = None
    groups: Sequence[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionRow:
    """A promotion as it should be; `code` says which of its entity. See the model."""

    entity_id: int
    code: str
    name: str
    kind: str
    valid_from: date
    valid_until: date | None = None
    product_id: int | None = None
    category: str = ""
    customer_id: int | None = None
    group_id: int | None = None
    min_quantity: Decimal = Decimal(0)
    percent: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    currency: str = ""
    buy_quantity: Decimal = Decimal(0)
    free_quantity: Decimal = Decimal(0)
    free_product_id: int | None = None
    stack: str = ""
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PartNumberRow:
    """A customer's own number of a product; without a product it is forgotten."""

    customer_id: int
    code: str
    product_id: int | None


PricingRow = GroupRow | PriceListRow | PromotionRow | PartNumberRow


@transaction.atomic
def save_price_masters(
    *, rows: Sequence[PricingRow], actor: User | None, now: datetime
) -> list[int]:
    """Bring groups, lists, promotions and part numbers to what `rows` say, in order; return ids.

    Raises:
        GroupLoop: a group would stand below itself, or too deep.
        AnotherCompany: a list would change its company or currency.
    """
    made: list[int] = []
    for row in rows:
        if isinstance(row, GroupRow):
            made.append(_save_group(row, actor, now))
        elif isinstance(row, PriceListRow):
            made.append(_save_list(row, actor, now))
        elif isinstance(row, PromotionRow):
            made.append(_save_promotion(row, actor, now))
        else:
            made.append(_save_part_number(row, actor, now))
    return made


def _save_group(row: GroupRow, actor: User | None, now: datetime) -> int:
    group = CustomerGroup.objects.select_for_update().filter(code=row.code).first()
    group, before = _written(
        group or CustomerGroup(code=row.code), {"name": row.name, "parent_id": row.parent_id}
    )
    refuse_loop(row)
    after: dict[str, Any] = {"code": row.code, "name": row.name, "parent": row.parent_id}
    if row.members is not None:
        members = Customer.objects.filter(group=group)
        was = set(members.values_list("pk", flat=True))
        members.exclude(pk__in=row.members).update(group=None)
        Customer.objects.filter(pk__in=row.members).update(group=group)
        before |= {"members": len(was)}
        after |= {"members": len(set(row.members))}
    _tell(_Told("group", group.pk, None), before, after, actor, now)
    return int(group.pk)


def refuse_loop(row: GroupRow) -> None:
    """Refuse a group that would stand below itself.

    Raises:
        GroupLoop: it would, or it would stand ten levels deep.
    """
    parent = CustomerGroup.objects.filter(pk=row.parent_id or 0).first()
    above, depth = parent, 1
    while above is not None:
        depth += 1
        if above.code == row.code or depth > DEPTH_MAX:
            raise GroupLoop(f"{row.code} cannot stand below {parent}.")
        above = above.parent


def _save_list(row: PriceListRow, actor: User | None, now: datetime) -> int:
    known = PriceList.objects.select_for_update().filter(code=row.code).first()
    if known and (known.entity_id, known.currency) != (row.entity_id, row.currency):
        raise AnotherCompany(f"{row.code} stays with its company and currency.")
    values = {"name": row.name, "is_active": row.is_active, "currency": row.currency}
    made, before = _written(known or PriceList(code=row.code, entity_id=row.entity_id), values)
    after = {"code": row.code, **values}
    for name, holders in (("customer_id", row.customers), ("group_id", row.groups)):
        if holders is None:
            continue
        kept = ListHolder.objects.filter(price_list=made, **{f"{name}__isnull": False})
        was = list(kept.order_by("position", "pk").values_list(name, flat=True))
        if was != list(holders):
            kept.delete()
            ListHolder.objects.bulk_create(
                ListHolder(price_list=made, position=place, **{name: holder})
                for place, holder in enumerate(dict.fromkeys(holders), 1)
            )
            before[name.removesuffix("_id") + "s"] = was
            after[name.removesuffix("_id") + "s"] = list(holders)
    _tell(_Told("price_list", made.pk, row.entity_id), before, after, actor, now)
    return int(made.pk)


def _save_promotion(row: PromotionRow, actor: User | None, now: datetime) -> int:
    known = Promotion.objects.select_for_update().filter(entity_id=row.entity_id, code=row.code)
    values = {each.name: getattr(row, each.name) for each in fields(row)}
    made, before = _written(known.first() or Promotion(), values)
    after = {name: value for name, value in values.items() if value not in (None, "", 0)}
    _tell(_Told("promotion", made.pk, row.entity_id), before, after, actor, now)
    return int(made.pk)


def _save_part_number(row: PartNumberRow, actor: User | None, now: datetime) -> int:
    code = row.code.strip().upper()
    known = CustomerProduct.objects.filter(customer_id=row.customer_id, code=code).first()
    if row.product_id is None:
        if known is not None:
            known.delete()
        return 0
    made, before = _written(
        known or CustomerProduct(customer_id=row.customer_id, code=code),
        {"product_id": row.product_id},
    )
    after = {"code": code, "product": row.product_id}
    thread = f"orders.customer:{row.customer_id}"
    _tell(_Told("part_number", made.pk, None, thread), before, after, actor, now)
    return int(made.pk)


def _written(row: M, values: dict[str, Any]) -> tuple[M, dict[str, Any]]:
    """Write the values that differ; return the row and what they were before."""
    is_new = row.pk is None
    before = {} if is_new else {name: getattr(row, name) for name in values}
    moved = [name for name, value in values.items() if is_new or before[name] != value]
    for name in moved:
        setattr(row, name, values[name])
    if is_new:
        row.save(force_insert=True)
    elif moved:
        row.save(update_fields=[name.removesuffix("_id") for name in moved])
    return row, {name: before[name] for name in moved if name in before}


@dataclass(frozen=True, slots=True)
class _Told:
    """What is recorded of one row: of which entity, in which story."""

    what: str
    id: int
    entity_id: int | None
    thread: str = ""


def _tell(
    told: _Told, before: dict[str, Any], after: dict[str, Any], actor: User | None, now: datetime
) -> None:
    change = Change(
        entity_id=told.entity_id,
        action=f"orders.{'change' if before else 'add'}_{told.what}",
        subject_kind=f"orders.{told.what}",
        subject_id=told.id,
        thread=told.thread or f"orders.{told.what}:{told.id}",
        before=before or None,
        after=after,
    )
    record(changes=[change], actor=actor, now=now)
