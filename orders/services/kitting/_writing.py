"""Says which products are kits, and of what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.quantity import QUANTITY_MAX, STEP
from erp.kernel.sql import rows
from orders.models import Kit, KitComponent
from orders.rules import is_exact

PARTS_MAX = 50

LOCK = "SELECT id FROM inventory_product WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE"


class KitRefused(DomainError):
    """A kit has one to fifty different parts, each a quantity above zero of a known product."""

    code: ClassVar[str] = "bad_kit"


class NestedKit(DomainError):
    """A part of a kit is no kit, and a kit is no part of one."""

    code: ClassVar[str] = "nested_kit"


@dataclass(frozen=True, slots=True)
class KitPart:
    """So many base units of one product in one kit."""

    product_id: int
    quantity: Decimal


@transaction.atomic
def save_kit(
    *,
    product_id: int,
    parts: Sequence[KitPart],
    actor: User | None,
    now: datetime,
    is_active: bool = True,
    valid_from: date | None = None,
    valid_until: date | None = None,
) -> Kit:
    """Make a product a kit of these parts, or change what it is made of; orders keep what they had.

    It is sold as a kit from `valid_from` through `valid_until`, by the calendar of who sells it.
    Written again as it is, nothing is recorded. Locks the products by id, so that two people cannot
    nest kits between them.

    Raises:
        KitRefused: the parts make no kit, or it ends before it begins.
        NestedKit: a part is a kit, or the product is a part of one.
    """
    if valid_from and valid_until and valid_until < valid_from:
        raise KitRefused("It ends before it begins.")
    ids = {part.product_id for part in parts}
    if not 0 < len(parts) <= PARTS_MAX or len(ids) != len(parts):
        raise KitRefused(f"Name one to {PARTS_MAX} different parts.")
    for part in parts:
        if not is_exact(part.quantity, STEP, QUANTITY_MAX) or part.quantity <= 0:
            raise KitRefused("A quantity is above zero, to a thousandth.")
    locked = {row[0] for row in rows(LOCK, {"ids": sorted({product_id, *ids})})}
    if locked != {product_id, *ids}:
        raise KitRefused("There is no such product.")
    nests = Kit.objects.filter(product_id__in=ids).exists()
    if nests or product_id in ids or KitComponent.objects.filter(product_id=product_id).exists():
        raise NestedKit("A part of a kit is no kit itself.")
    found = Kit.objects.filter(product_id=product_id).first()
    before = None if found is None else _said(found)
    kit = found or Kit(product_id=product_id, created_at=now)
    kit.is_active, kit.valid_from, kit.valid_until = is_active, valid_from, valid_until
    kit.save()
    kit.components.all().delete()
    KitComponent.objects.bulk_create(
        KitComponent(kit=kit, position=place, product_id=part.product_id, quantity=part.quantity)
        for place, part in enumerate(parts, 1)
    )
    after = _said(kit)
    if after != before:
        change = Change(
            entity_id=None,
            action="orders.save_kit",
            subject_kind="inventory.product",
            subject_id=product_id,
            thread=f"inventory.product:{product_id}",
            before=before,
            after=after,
        )
        record(changes=[change], actor=actor, now=now)
    return kit


def _said(kit: Kit) -> dict[str, Any]:
    found = kit.components.order_by("position").values_list("product__code", "quantity")
    return {
        "parts": {code: f"{quantity.normalize():f}" for code, quantity in found},
        "is_active": kit.is_active,
        "valid_from": kit.valid_from and kit.valid_from.isoformat(),
        "valid_until": kit.valid_until and kit.valid_until.isoformat(),
    }
