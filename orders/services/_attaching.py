"""Notes on new lines what few have: a disposition, what they take of, the kit they belong to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from erp.kernel.sql import run
from orders.models import KitLine, OrderLine
from orders.services._allowing import keep_terms
from orders.services._counting import count_agreed
from orders.services._drafting import LineDraft, OrderDraft
from orders.services._pricing import PricedLine

NOTE = """
    UPDATE orders_orderline l
    SET disposition = d.disposition, quote_line_id = d.quote_line_id,
        blanket_line_id = d.blanket_line_id, kit_id = d.kit_id, per_kit = d.per_kit,
        fresh_days = d.fresh_days
    FROM unnest(
        %(orders)s::bigint[], %(positions)s::int[], %(dispositions)s::text[], %(quotes)s::bigint[],
        %(blankets)s::bigint[], %(kits)s::bigint[], %(per_kits)s::numeric[],
        %(fresh_days)s::int[]
    ) AS d (order_id, position, disposition, quote_line_id, blanket_line_id, kit_id, per_kit,
            fresh_days)
    WHERE l.order_id = d.order_id AND l.position = d.position
"""

NAMES = (
    "orders",
    "positions",
    "dispositions",
    "quotes",
    "blankets",
    "kits",
    "per_kits",
    "fresh_days",
)


@dataclass(frozen=True, slots=True)
class NewLines:
    """The lines of one new order: of each the line of the draft it comes from, kit, and per kit."""

    order_id: int
    draft: OrderDraft
    parts: Sequence[tuple[int | None, int | None, Decimal | None]]
    kits: Sequence[PricedLine] = ()


def attach(made: Sequence[NewLines]) -> None:
    """Write what new orders and their lines have beyond prices. No statement where none has.

    Raises:
        BadReference: what an order insists on cannot be so.
        MoreThanAgreed: they take more of a quote or blanket order than is left.
    """
    for each in made:
        keep_terms(each.draft.serving, order_id=each.order_id)
    found = [row for each in made for row in _rows(each)]
    if not found:
        return
    run(NOTE, dict(zip(NAMES, ([*column] for column in zip(*found, strict=True)), strict=True)))
    if any(row[3] or row[4] or row[5] for row in found):
        count_agreed({row[0] for row in found})


def agreed_of(basis: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Return the line of a quote and of a blanket order that a price comes from, if of one."""
    return basis.get("quote_line"), basis.get("blanket_line")


def make_kits(order_id: int, kits: Sequence[PricedLine]) -> list[int]:
    """Write the kits that an order asks for; return their ids, in order."""
    made = []
    for line in kits:
        quote, blanket = agreed_of(line.price_basis)
        kit = KitLine.objects.create(
            order_id=order_id,
            product_id=line.product_id,
            quantity=line.quantity,
            unit_price=line.unit_price,
            price_source=line.price_source,
            price_basis=dict(line.price_basis),
            discount=line.discount,
            amount=line.amount,
            quote_line_id=quote,
            blanket_line_id=blanket,
        )
        made.append(kit.pk)
    return made


def _rows(new: NewLines) -> list[tuple[Any, ...]]:
    kits = make_kits(new.order_id, new.kits)
    rows = []
    for position, (origin, kit, per_kit) in enumerate(new.parts, 1):
        line = None if origin is None else new.draft.lines[origin]
        said = (line.disposition if line else "") or new.draft.disposition
        plain = said or OrderLine.Disposition.BACKORDER.value
        agreed = _agreed(line) if kit is None else (None, None)
        kit_id = None if kit is None else kits[kit]
        fresh = line.fresh_days if line else None
        is_plain = plain == OrderLine.Disposition.BACKORDER and fresh is None
        if any(agreed) or kit_id or not is_plain:
            rows.append((new.order_id, position, plain, *agreed, kit_id, per_kit, fresh))
    return rows


def _agreed(line: LineDraft | None) -> tuple[int | None, int | None]:
    return agreed_of(line.price_basis) if line else (None, None)
