"""Papers: invoices and packing slips as PDF/A, carton labels as ZPL. They change nothing."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import typst
from django.conf import settings
from django.core.cache import cache as shared_cache
from django.db import transaction

from finance.rules import CartonLabel, zpl_of
from finance.selectors import InvoicePage, PrintedRow, ShipmentLineRow, ShipmentPaper

KEPT_S = 86_400
KILOGRAMS = "kg"


@transaction.atomic
def invoice_pdf(*, invoice: InvoicePage) -> bytes:
    """Return the invoice as PDF/A-2b, A4. The same invoice gives the same bytes."""
    number = invoice.number or "not posted"
    data: dict[str, Any] = {
        "title": f"Invoice {number}",
        "heading": "Invoice" if invoice.number else "Draft invoice",
        "number": number,
        "entity": {
            "name": invoice.entity_name,
            "code": invoice.entity,
            "country": invoice.entity_country,
        },
        "date": _parts(invoice.invoice_date),
        "bill_to": _bill_to(invoice),
        "ship_to": address_of(invoice.ship_to),
        "facts": _facts(invoice),
        "lines": [_row(each) for each in invoice.printed],
        "totals": _totals(invoice),
        "terms": f"{money(invoice.total)} {invoice.currency} is due on "
        f"{invoice.due_date:%d %B %Y}, {invoice.terms_days} days after the invoice date. "
        f"Please name {number} when you pay.",
        "note": f"All amounts are in {invoice.currency}.",
    }
    return _compiled("invoice", data)


@transaction.atomic
def packing_slip_pdf(*, shipment: ShipmentPaper) -> bytes:
    """Return the packing slip as PDF/A-2b, A4, its number as a Code 128 barcode."""
    facts = [
        ("Order", shipment.order_number),
        ("Your order", shipment.customer_po),
        ("Node", shipment.node),
        ("Carrier", shipment.carrier),
        ("Tracking", shipment.tracking_number),
        ("Planned", f"{shipment.planned_date:%d %B %Y}"),
        ("Weight", f"{plain(shipment.weight)} {KILOGRAMS}" if shipment.weight else ""),
    ]
    data = {
        "title": f"Packing slip {shipment.number}",
        "number": shipment.number,
        "entity": {"name": shipment.entity_name},
        "date": _parts(shipment.planned_date),
        "barcode": barcode_svg(shipment.number),
        "ship_to": address_of(shipment.ship_to) or [shipment.customer],
        "facts": [[name, value] for name, value in facts if value],
        "lines": [
            [
                line.product_code,
                _goods(line),
                plain(line.quantity),
                "" if line.picked is None else plain(line.picked),
                line.uom,
            ]
            for line in shipment.lines
        ],
        "cartons": [
            [str(box.number), box.sscc, f"{plain(box.weight)} {KILOGRAMS}"]
            for box in shipment.cartons
        ],
    }
    return _compiled("packing_slip", data)


@transaction.atomic
def shipment_labels(*, shipment: ShipmentPaper) -> str:
    """Return one ZPL label for each carton of a packed shipment; empty before it is packed."""
    to = address_of(shipment.ship_to) or [shipment.customer]
    return zpl_of(
        [
            CartonLabel(
                sscc=box.sscc,
                sender=f"{shipment.entity_name} · {shipment.node}",
                to=to,
                order=shipment.order_number,
                customer_po=shipment.customer_po,
                shipment=shipment.number,
                carrier=shipment.carrier,
                tracking=shipment.tracking_number,
                place=place,
                cartons=len(shipment.cartons),
                weight=plain(box.weight),
            )
            for place, box in enumerate(shipment.cartons, 1)
        ]
    )


def _row(printed: PrintedRow) -> list[str]:
    line = printed.row
    if printed.is_component:
        quantity = f"{plain(line.quantity)} {line.uom}"
        return ["", line.product_code, f"  · {line.product}", quantity, "", "", ""]
    return [
        str(line.position),
        line.product_code,
        line.product,
        f"{plain(line.quantity)} {line.uom}",
        price(line.unit_price),
        f"{plain(line.discount * 100)} %" if line.discount else "",
        money(line.amount),
    ]


def _bill_to(invoice: InvoicePage) -> list[str]:
    town = f"{invoice.customer_postal_code} {invoice.customer_city}".strip()
    rows = [
        invoice.customer,
        invoice.customer_address,
        town,
        invoice.customer_region,
        invoice.customer_country,
    ]
    return [row for row in rows if row]


def _facts(invoice: InvoicePage) -> list[list[str]]:
    facts = [
        ["Invoice date", f"{invoice.invoice_date:%d %B %Y}"],
        ["Due date", f"{invoice.due_date:%d %B %Y}"],
        ["Our order", invoice.order_number],
        ["Your order", invoice.customer_po],
        ["Shipment", invoice.shipment_number],
        ["Tracking", invoice.tracking_number],
        ["Customer", invoice.customer_code],
        ["Your tax id", invoice.customer_tax_id],
    ]
    return [fact for fact in facts if fact[1]]


def _totals(invoice: InvoicePage) -> list[list[Any]]:
    """Return (label, amount, is it the total) of each row under the lines."""
    totals: list[list[Any]] = [["Goods", money(invoice.net), False]]
    if invoice.freight:
        totals.append(["Freight", money(invoice.freight), False])
    if invoice.tax:
        totals.append(["Tax", money(invoice.tax), False])
    return [*totals, [f"Total {invoice.currency}", money(invoice.total), True]]


def address_of(ship_to: Mapping[str, Any]) -> list[str]:
    """Return the filled lines of an address, name first, country last."""
    town = f"{ship_to.get('postal_code') or ''} {ship_to.get('city') or ''}".strip()
    rows = [
        ship_to.get("name"),
        ship_to.get("address"),
        town,
        ship_to.get("region"),
        ship_to.get("country"),
    ]
    return [str(row) for row in rows if row]


def barcode_svg(text: str) -> str:
    """Return `text` as a Code 128 barcode, bars only."""
    from barcode import Code128  # noqa: PLC0415  it logs, when loaded, that it draws no pictures
    from barcode.writer import SVGWriter  # noqa: PLC0415

    drawn: bytes = Code128(text, writer=SVGWriter()).render(
        {"write_text": False, "module_height": 12.0, "quiet_zone": 2.0}
    )
    return drawn.decode()


def money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def price(amount: Decimal) -> str:
    """Return a unit price with two decimals, or four where they count."""
    return money(amount) if amount == round(amount, 2) else f"{amount:,.4f}"


def plain(number: Decimal) -> str:
    """Return a quantity without zeros that say nothing."""
    return f"{number.normalize():,f}"


def _parts(day: date) -> Sequence[int]:
    return [day.year, day.month, day.day]


@cache
def _template(name: str) -> bytes:
    path = Path(settings.BASE_DIR) / "templates" / "finance" / "papers" / f"{name}.typ"
    return path.read_bytes()


def _compiled(name: str, data: Mapping[str, Any]) -> bytes:
    """Compile a paper, or take it from the cache: its key is all that it is made of."""
    text = json.dumps(data, sort_keys=True)
    key = f"finance.paper:{sha256(_template(name) + text.encode()).hexdigest()}"
    kept: bytes | None = shared_cache.get(key)
    if kept is None:
        kept = typst.compile(
            _template(name),
            sys_inputs={"data": text},
            format="pdf",
            pdf_standards=["a-2b"],
            ignore_system_fonts=True,
            timestamp=0,
        )
        shared_cache.set(key, kept, KEPT_S)
    return kept


def _goods(line: ShipmentLineRow) -> str:
    """Return a line's product with its lot or the serial numbers of its pieces."""
    lot = f" · Lot {line.lot}" if line.lot else ""
    serials = f" · Serial {', '.join(line.serials)}" if line.serials else ""
    return line.product + lot + serials
