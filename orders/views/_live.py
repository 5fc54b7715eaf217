"""The figures beside each row of order entry, and below them: all in one answer."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from erp.accounts.models import Entity
from inventory.services.promising import Choice, Wish, offer_supply
from orders.forms import GRID_MAX
from orders.rules import COLUMNS, TRANSIT_DAYS, TypedLine
from orders.selectors import (
    CustomerPage,
    Goods,
    NextBreak,
    customer_page,
    exposure,
    goods_of,
    next_breaks,
    product_ids,
    segment_of,
)
from orders.services import DraftRefused, LineDraft, OrderDraft, PricedDraft, price_draft

ONE, CHANNEL = Decimal(1), "page"
CELL_MAX = 40
NUMBERS = ("quantity", "price", "discount")


@dataclass
class LiveRow:
    """What stands beside one row: `place` is its place in the grid, `code` what was typed."""

    place: int
    code: str
    goods: Goods | None = None
    problem: str = ""
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    source: str = ""
    kind: str = ""
    promotions: list[str] = field(default_factory=list)
    more: Decimal | None = None
    next_price: Decimal | None = None
    amount: Decimal | None = None
    way: Choice | None = None
    missing: Decimal = Decimal(0)
    promised: date | None = None
    promised_p90: date | None = None
    light: str = ""


def live_figures(data: QueryDict, *, scope: Collection[int], now: datetime) -> dict[str, Any]:
    """Return what the answer draws: the rows, what comes free, the sums and the credit."""
    typed = _typed(data)
    entity = Entity.objects.filter(pk__in=scope, code=data.get("entity", "")[:20]).first()
    if entity is None:
        return {"rows": [], "lines": len(typed), "problem": _("Choose the company.")}
    customer = customer_page(code=data.get("customer", "")[:40], entity_ids=[entity.pk])
    customer_id = customer.id if customer else None
    codes = {line.product for _place, line in typed if line.product}
    known = product_ids(codes=codes, customer_id=customer_id)
    goods = goods_of(product_ids=set(known.values()), entity_id=entity.pk)
    rows = [
        _row(place, line, goods.get(known.get(line.product.upper(), 0))) for place, line in typed
    ]
    context: dict[str, Any] = {"rows": rows, "lines": len(rows), "customer": customer}
    if customer is None:
        _promise(rows, entity, now, head=None)
        asked = data.get("customer", "").strip()
        said = _("There is no such customer here.") if asked else _("Choose the customer.")
        return context | {"problem": said, "currency": entity.currency}
    sound = [(row, line) for row, (_p, line) in zip(rows, typed, strict=True) if not row.problem]
    return context | _priced(rows, sound, _Head(data, customer, entity), now)


@dataclass(frozen=True, slots=True)
class _Head:
    """For whom, by whom, and what the form says of the order as a whole."""

    data: QueryDict
    customer: CustomerPage
    entity: Entity


def _priced(
    rows: Sequence[LiveRow],
    asked: Sequence[tuple[LiveRow, TypedLine]],
    head: _Head,
    now: datetime,
) -> dict[str, Any]:
    """Price the rows that can be read; say of the others what is wrong."""
    data, entity = head.data, head.entity
    account = head.customer.accounts[0].exposure
    context: dict[str, Any] = {"currency": account.currency, "account": account}
    if not asked:
        _promise(rows, entity, now, head=head)
        return context | {"problem": _incomplete(rows)}
    draft = OrderDraft(
        entity_id=entity.pk,
        customer_id=head.customer.id,
        lines=[_draft(row, line) for row, line in asked],
        freight=_number(data.get("freight", "")) or Decimal(0),
    )
    try:
        priced = price_draft(draft=draft, now=now, strict=False)
    except DraftRefused as refusal:
        return context | {"problem": str(refusal)}
    today = now.astimezone(ZoneInfo(entity.time_zone)).date()
    _fill([row for row, _line in asked], priced, today)
    _promise(rows, entity, now, head=head)
    if any(row.problem for row in rows):
        context["problem"] = _incomplete(rows)
    credit = exposure(account_id=priced.account_id)
    after = credit.exposure + priced.total if credit else Decimal(0)
    names = goods_of(product_ids={line.product_id for line in priced.free}, entity_id=entity.pk)
    return context | {
        "priced": priced,
        "free": [(line, names[line.product_id]) for line in priced.free],
        "credit": credit,
        "over": credit is not None and priced.total > credit.available,
        "meter": _meter(credit.exposure, after, credit.credit_limit) if credit else None,
    }


def _incomplete(rows: Sequence[LiveRow]) -> str:
    wrong = sum(bool(row.problem) for row in rows)
    if not wrong:
        return _("Not complete yet.")
    said = ngettext("%(n)d line is not complete.", "%(n)d lines are not complete.", wrong)
    return said % {"n": wrong}


def _fill(rows: Sequence[LiveRow], priced: PricedDraft, today: date) -> None:
    """Write prices, their receipts and the next break into the rows."""
    prices = [
        int(found.price_basis["price"])
        for found in priced.priced
        if not isinstance(found, DraftRefused) and "price" in found.price_basis
    ]
    breaks = next_breaks(price_ids=prices, on=today) if prices else {}
    for row, found, light in zip(rows, priced.priced, priced.lights, strict=True):
        row.light = light
        if isinstance(found, DraftRefused):
            row.problem = str(found)
            continue
        basis = found.price_basis
        row.quantity, row.unit_price, row.amount = found.quantity, found.unit_price, found.amount
        row.source, row.kind = found.price_source, str(basis.get("kind", ""))
        row.promotions = list(basis.get("codes", []))
        coming: NextBreak | None = breaks.get(basis.get("price", 0))
        if coming is not None:
            row.more = coming.min_quantity - found.quantity
            row.next_price = coming.unit_price


def _promise(
    rows: Sequence[LiveRow], entity: Entity, now: datetime, *, head: "_Head | None"
) -> None:
    """Write into the rows how each is best served and when it is there, as release will promise.

    Rows of one product take turns: none counts on what the row above it takes.
    """
    asked = [(row, row.goods) for row in rows if row.goods is not None]
    ahead: dict[int, Decimal] = defaultdict(Decimal)
    segment = 0
    if head and asked:
        segment = segment_of(customer_id=head.customer.id, channel=CHANNEL, entity_id=entity.pk)
    wishes = []
    for row, goods in asked:
        quantity = row.quantity or ONE
        week = head.customer.calendar_id if head else None
        wishes.append(
            Wish(
                entity.pk,
                goods.id,
                quantity,
                calendar_id=week,
                ahead=ahead[goods.id],
                transit_days=TRANSIT_DAYS,
                segment=segment,
            )
        )
        ahead[goods.id] += quantity
    wanted = (_date(head.data.get("requested_date", "")) if head else None) or date.min
    for (row, goods), found in zip(asked, offer_supply(wishes=wishes, now=now), strict=True):
        row.way = found.best
        if row.quantity is None:
            continue
        row.missing = max(Decimal(0), row.quantity - goods.available)
        if row.way is not None and row.way.quantity >= row.quantity:
            row.promised = max(row.way.arrives_on, wanted)
            row.promised_p90 = max(row.way.arrives_p90, wanted)


def _row(place: int, line: TypedLine, goods: Goods | None) -> LiveRow:
    """Return a row with what can be said before it is priced."""
    row = LiveRow(place, line.product, goods)
    if not line.product:
        row.problem = _("Which product?")
    elif goods is None:
        row.problem = _("There is no such product.")
    elif not line.quantity:
        row.problem = _("How many?")
    elif any(getattr(line, name) and _number(getattr(line, name)) is None for name in NUMBERS):
        row.problem = _("Write a number such as 12.5.")
    return row


def _draft(row: LiveRow, line: TypedLine) -> LineDraft:
    assert row.goods is not None
    return LineDraft(
        product_id=row.goods.id,
        quantity=_number(line.quantity) or Decimal(0),
        uom=line.uom.upper(),
        unit_price=_number(line.price),
        discount=(_number(line.discount) or Decimal(0)) / 100,
    )


def _meter(before: Decimal, after: Decimal, limit: Decimal) -> dict[str, Any]:
    """Return the bars of the credit meter, as shares of the limit."""
    share = after / limit if limit > 0 else ONE
    tone = "ok" if share <= Decimal("0.8") else "s3" if share <= 1 else "s1"
    return {
        "width": int(min(ONE, max(Decimal(0), share)) * 100),
        "share": share,
        "tone": tone,
        "left": limit - after,
        "before": before,
        "after": after,
    }


def _typed(data: QueryDict) -> list[tuple[int, TypedLine]]:
    """Return the rows that are not blank, with their places in the grid."""
    columns = [data.getlist(name)[:GRID_MAX] for name in COLUMNS]
    height = max((len(column) for column in columns), default=0)
    padded = [column + [""] * (height - len(column)) for column in columns]
    lines = [
        TypedLine(*(cell.replace("\0", "").strip()[:CELL_MAX] for cell in row))
        for row in zip(*padded, strict=True)
    ]
    return [(place, line) for place, line in enumerate(lines) if not line.is_blank]


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text) if text else None
    except InvalidOperation:
        return None
    is_sound = number is not None and number.is_finite() and "E" not in text.upper()
    return number if is_sound else None


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
