"""Changing an order in place, until its goods leave."""

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from orders import permissions
from orders.models import OrderLine
from orders.selectors import LineRow, OrderPage, order_page, product_ids, ship_to_of
from orders.services import (
    Amendment,
    BadQuantity,
    BadReference,
    LineChange,
    LineDraft,
    amend_order,
)

NEW_ROWS = range(3)
NOBODY = 0  # no row has it: the service names the field
DIGITS_MAX = 40


@require_POST
@requires(permissions.SUBMIT)
def amend(request: SignedInRequest, number: str) -> HttpResponse:
    """Take what was changed on the order's page."""
    scope = request.scope(permissions.SUBMIT)
    page = order_page(number=number, entity_ids=scope, line_limit=10_000)
    if page is None:
        raise Http404
    data = request.POST
    seen = data.get("revision", "")
    order = amend_order(
        order_id=page.id,
        amendment=_amendment(page, data),
        revision=int(seen) if seen.isdecimal() and len(seen) < 10 else None,  # noqa: PLR2004
        actor=request.user,
        now=timezone.now(),
    )
    if order.revision == page.revision:
        messages.info(request, _("Nothing was changed."))
    elif order.state == "held" and page.state != "held":
        messages.warning(request, _("%(n)s was changed and is on hold now.") % {"n": number})
    else:
        messages.success(request, _("%(n)s was changed.") % {"n": number})
    return redirect("orders:page", number)


def amend_rows(page: OrderPage) -> list[dict[str, Any]]:
    """Return the lines as they are edited in place: each with what is ordered in its own unit."""
    return [{"line": line, "quantity": plain(_sold(line))} for line in page.lines]


def dispositions() -> list[tuple[str, str]]:
    return [(value, str(label)) for value, label in OrderLine.Disposition.choices]


def plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _sold(line: LineRow) -> Decimal:
    if not line.cancelled:
        return line.sold_quantity
    exact = Fraction(line.ordered) * Fraction(line.sold_quantity) / Fraction(line.quantity)
    return round(Decimal(exact.numerator) / Decimal(exact.denominator), 3)


def _amendment(page: OrderPage, data: QueryDict) -> Amendment:
    lines: list[LineChange | LineDraft] = []
    for line in page.lines:
        change = _change(line, data)
        if change is not None:
            lines.append(change)
    lines += _added(data)
    code = data.get("ship_to", "").strip()
    address = ship_to_of(customer_id=page.customer_id, code=code) if code else None
    if code and address is None:
        raise BadReference(_("The customer has no such address."), "ship_to")
    wanted = data.get("requested_date", "")
    return Amendment(
        lines=lines,
        customer_po=data.get("customer_po"),
        requested_date=parse_date(wanted) if wanted else None,
        ship_to=address,
        freight=_number(data.get("freight", ""), "freight"),
        reason=data.get("reason", ""),
    )


def _change(line: LineRow, data: QueryDict) -> LineChange | None:
    at = line.position
    quantity = _number(data.get(f"quantity-{at}", ""), f"lines[{at - 1}].quantity")
    price = _number(data.get(f"price-{at}", ""), f"lines[{at - 1}].price")
    disposition = data.get(f"disposition-{at}", line.disposition)
    change = LineChange(
        line.id,
        quantity=None if quantity == _sold(line) else quantity,
        unit_price=None if price == line.unit_price else price,
        disposition=None if disposition == line.disposition else disposition,
    )
    return None if change == LineChange(line.id) else change


def _added(data: QueryDict) -> list[LineDraft]:
    columns = [data.getlist(name) for name in ("new-product", "new-quantity", "new-price")]
    known = product_ids(codes=[code.strip() for code in columns[0]])
    added = []
    for place, (code, quantity, price) in enumerate(zip(*columns, strict=False)):
        if code.strip():
            field = f"added[{place}]"
            draft = LineDraft(
                product_id=known.get(code.strip().upper(), NOBODY),
                quantity=_number(quantity, f"{field}.quantity") or Decimal(0),
                unit_price=_number(price, f"{field}.price"),
            )
            added.append(draft)
    return added


def _number(text: str, field: str) -> Decimal | None:
    text = text.strip()
    if not text:
        return None
    try:
        number = Decimal(text) if len(text) <= DIGITS_MAX else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or "E" in text.upper():
        raise BadQuantity(_("Write a number such as 12.5."), field)
    return number
