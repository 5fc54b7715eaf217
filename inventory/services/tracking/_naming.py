"""Names lots: the first that hears of one writes it down, the others must agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, ClassVar

from django.db import transaction

from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.sql import rows

if TYPE_CHECKING:
    from erp.accounts.models import User

CODE_MAX = 40


class BadLot(DomainError):
    """A lot cannot be as it was named; `errors` says which field, for programs."""

    code: ClassVar[str] = "bad_lot"

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.errors = [{"field": field, "code": "invalid", "message": sentence}]


@dataclass(frozen=True, slots=True, kw_only=True)
class LotDraft:
    """A lot as it is written on the goods. It is good up to and including `expires_on`."""

    product_id: int
    code: str
    expires_on: date | None = None
    manufactured_on: date | None = None
    supplier_lot: str = ""


# What is known already is read, and filled in where it said nothing.
NAME = """
    WITH told AS (
        SELECT * FROM unnest(%(products)s::bigint[], %(codes)s::text[], %(expires)s::date[],
            %(made)s::date[], %(suppliers)s::text[])
            AS t (product_id, code, expires_on, manufactured_on, supplier_lot)
    )
    INSERT INTO inventory_lot AS kept
        (product_id, code, expires_on, manufactured_on, supplier_lot, block_reason, created_at)
    SELECT told.*, '', %(now)s FROM told ORDER BY product_id, code
    ON CONFLICT (product_id, code) DO UPDATE SET
        expires_on = coalesce(kept.expires_on, excluded.expires_on),
        manufactured_on = coalesce(kept.manufactured_on, excluded.manufactured_on),
        supplier_lot = coalesce(nullif(kept.supplier_lot, ''), excluded.supplier_lot)
    RETURNING id, product_id, code, expires_on, xmax = 0
"""

TRACKED = "SELECT id, code, tracking FROM inventory_product WHERE id = ANY(%s)"


@transaction.atomic
def name_lots(
    *, drafts: Sequence[LotDraft], actor: "User | None", now: datetime
) -> dict[tuple[int, str], int]:
    """Return the id of each (product id, code), made where it is new. Two statements and an audit.

    What a known lot did not say is filled in; what it says otherwise is refused. The last of
    several drafts of one lot counts. Naming again changes nothing.

    Raises:
        BadLot: a product is not kept by lot, a code is no code, or the dates make no sense.
    """
    if not drafts:
        return {}
    latest = {(draft.product_id, draft.code.strip()): draft for draft in drafts}
    _check(latest)
    keys = sorted(latest)
    params = {
        "products": [key[0] for key in keys],
        "codes": [key[1] for key in keys],
        "expires": [latest[key].expires_on for key in keys],
        "made": [latest[key].manufactured_on for key in keys],
        "suppliers": [latest[key].supplier_lot for key in keys],
        "now": now,
    }
    found = rows(NAME, params)
    changes = []
    for lot_id, product_id, code, expires_on, is_new in found:
        draft = latest[product_id, code]
        if draft.expires_on and draft.expires_on != expires_on:
            raise BadLot("expires_on", f"Lot {code} expires on {expires_on}.")
        if is_new:
            after = {"code": code, "expires_on": expires_on and expires_on.isoformat()}
            changes.append(_named(lot_id, product_id, after))
    record(changes=changes, actor=actor, now=now)
    return {(product_id, code): lot_id for lot_id, product_id, code, _, _ in found}


def _named(lot_id: int, product_id: int, after: dict[str, str | None]) -> Change:
    return Change(
        entity_id=None,
        action="inventory.name",
        subject_kind="inventory.lot",
        subject_id=lot_id,
        thread=f"inventory.product:{product_id}",
        after=after,
    )


def _check(latest: dict[tuple[int, str], LotDraft]) -> None:
    tracked = {row[0]: row[1:] for row in rows(TRACKED, [[key[0] for key in latest]])}
    for (product_id, code), draft in latest.items():
        product, tracking = tracked.get(product_id, ("", "none"))
        if tracking != "lot":
            raise BadLot("lot", f"{product}: it is not kept by lot.")
        if not code or len(code) > CODE_MAX or not code.isprintable():
            raise BadLot("lot", f"A lot's code has 1 to {CODE_MAX} characters.")
        made, expires = draft.manufactured_on, draft.expires_on
        if made and expires and expires < made:
            raise BadLot("expires_on", f"Lot {code} would expire before it was made.")
