"""The quote as a paper: PDF/A, A4. It changes nothing."""

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import typst
from django.conf import settings
from django.db import transaction

from orders.selectors import QuotePage


@transaction.atomic
def quote_pdf(*, quote: QuotePage) -> bytes:
    """Return the quote as PDF/A-2b, A4. The same quote gives the same bytes."""
    totals: list[list[Any]] = [["Goods", _money(quote.subtotal), False]]
    if quote.freight:
        totals.append(["Freight", _money(quote.freight), False])
    data = {
        "title": f"Quote {quote.number}",
        "heading": "Quote" if quote.sent_at else "Draft quote",
        "number": quote.number,
        "entity": {
            "name": quote.entity_name,
            "code": quote.entity,
            "country": quote.entity_country,
        },
        "date": _parts((quote.sent_at or quote.created_at).date()),
        "to": [quote.customer, *(str(value) for value in quote.ship_to.values() if value)],
        "facts": [fact for fact in _facts(quote) if fact[1]],
        "lines": [
            [
                str(line.position),
                line.product,
                line.name,
                f"{_plain(line.sold_quantity)} {line.sold_uom}",
                _price(line.unit_price),
                f"{_plain(line.discount * 100)} %" if line.discount else "",
                _money(line.amount),
            ]
            for line in quote.lines
        ],
        "totals": [*totals, [f"Total {quote.currency}", _money(quote.total), True]],
        "terms": f"These prices hold for orders through {quote.valid_until:%d %B %Y}. "
        f"Please name {quote.number} when you order.",
        "note": quote.note,
    }
    compiled: bytes = typst.compile(
        _template(),
        sys_inputs={"data": json.dumps(data, sort_keys=True)},
        format="pdf",
        pdf_standards=["a-2b"],
        ignore_system_fonts=True,
        timestamp=0,
    )
    return compiled


def _facts(quote: QuotePage) -> list[list[str]]:
    wanted = quote.requested_date
    return [
        ["Date", f"{quote.sent_at or quote.created_at:%d %B %Y}"],
        ["Valid through", f"{quote.valid_until:%d %B %Y}"],
        ["Your reference", quote.customer_po],
        ["Customer", quote.customer_code],
        ["Wanted by", f"{wanted:%d %B %Y}" if wanted else ""],
    ]


@cache
def _template() -> bytes:
    path = Path(settings.BASE_DIR) / "templates" / "orders" / "papers" / "quote.typ"
    return path.read_bytes()


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _price(amount: Decimal) -> str:
    return _money(amount) if amount == round(amount, 2) else f"{amount:,.4f}"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():,f}"


def _parts(day: date) -> Sequence[int]:
    return [day.year, day.month, day.day]
