"""Keeps the pairs of products of which one may go out for the other."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from erp.governance.services import Change, record
from inventory.models import Product, Substitute
from inventory.services._keeping import BadMasterData

if TYPE_CHECKING:
    from erp.accounts.models import User

RATIO_MAX = 1_000_000
LIMITS = (("units", 1, RATIO_MAX), ("per", 1, RATIO_MAX), ("rank", 0, 32_000))
REASON_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SubstituteDraft:
    """`per` base units of `other` may go out for `units` of `product` (codes), whole times.

    Good from the first day to the last, without one from ever or for ever.
    """

    product: str
    other: str
    units: int = 1
    per: int = 1
    rank: int = 1
    valid_from: date | None = None
    valid_until: date | None = None
    reason: str = ""
    consent: str = "ask"
    price_rule: str = "original"


NAMES = ("units", "per", "rank", "valid_from", "valid_until", "reason", "consent", "price_rule")


@transaction.atomic
def save_substitute(*, draft: SubstituteDraft, actor: "User | None", now: datetime) -> int:
    """Add or change one pair; return its id. What is as it should be is not audited.

    Raises:
        BadMasterData: one of its fields cannot be kept.
    """
    draft = replace(draft, reason=draft.reason.strip())
    codes = [draft.product.upper(), draft.other.upper()]
    ids = dict(Product.objects.filter(code__in=codes).values_list("code", "pk"))
    for field, sentence in _faults(draft, ids):
        raise BadMasterData(0, field, sentence)
    key = {"product_id": ids[codes[0]], "other_id": ids[codes[1]]}
    wanted = {name: getattr(draft, name) for name in NAMES}
    kept = Substitute.objects.select_for_update().filter(**key).first()
    before = {} if kept is None else {name: getattr(kept, name) for name in NAMES}
    if kept is None:
        kept = Substitute.objects.create(**key, **wanted)
    elif before != wanted:
        Substitute.objects.filter(pk=kept.pk).update(**wanted)
    if before != wanted:
        _record(kept.pk, draft, _plain(before), _plain(wanted), (actor, now))
    return kept.pk


@transaction.atomic
def drop_substitute(*, product: str, other: str, actor: "User | None", now: datetime) -> bool:
    """Forget one pair; say whether there was one. What went out by it stays."""
    kept = (
        Substitute.objects.select_for_update(of=["self"])
        .filter(product__code=product.upper(), other__code=other.upper())
        .first()
    )
    if kept is None:
        return False
    before = {name: getattr(kept, name) for name in NAMES}
    draft = SubstituteDraft(product=product.upper(), other=other.upper())
    _record(kept.pk, draft, _plain(before), {}, (actor, now))
    kept.delete()
    return True


def _record(
    pair_id: int,
    draft: SubstituteDraft,
    before: dict[str, Any],
    after: dict[str, Any],
    who: tuple["User | None", datetime],
) -> None:
    change = Change(
        entity_id=None,
        action="inventory.pair" if after else "inventory.unpair",
        subject_kind="inventory.substitute",
        subject_id=pair_id,
        thread=f"inventory.substitute:{pair_id}",
        before=before,
        after={**after, "product": draft.product, "other": draft.other},
    )
    record(changes=[change], actor=who[0], now=who[1])


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in values.items()
    }


def _faults(draft: SubstituteDraft, ids: dict[str, int]) -> Iterator[tuple[str, str]]:
    for name in ("product", "other"):
        if getattr(draft, name).upper() not in ids:
            yield name, "There is no such product."
    if draft.product.upper() == draft.other.upper():
        yield "other", "It is the product itself."
    for name, least, most in LIMITS:
        if not least <= getattr(draft, name) <= most:
            yield name, f"It is a whole number from {least:,} to {most:,}."
    if draft.valid_from and draft.valid_until and draft.valid_until < draft.valid_from:
        yield "valid_until", "It ends before it begins."
    if len(draft.reason) > REASON_MAX or "\0" in draft.reason:
        yield "reason", f"It has more than {REASON_MAX} characters, or one that cannot be stored."
    if draft.consent not in Substitute.Consent.values:
        yield "consent", "It is ask, always or never."
    if draft.price_rule not in Substitute.PriceRule.values:
        yield "price_rule", "It is original, substitute or lower."
