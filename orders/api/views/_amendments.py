"""From what a client wants changed to an amendment, or to a draft written anew."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from erp.api.problems import ErrorDetail, ValidationError
from orders.api.views._drafts import FLAGS, Codes, address, split
from orders.selectors import OrderPage
from orders.services import Amendment, LineChange, LineDraft, OrderDraft


def names_lines(body: Mapping[str, Any]) -> bool:
    """Test if a body changes single lines instead of replacing them all."""
    return any("line" in each for each in body.get("lines", ()))


def amendment_of(page: OrderPage, body: Mapping[str, Any]) -> Amendment:
    """Return the changes that a body asks for.

    Raises:
        ValidationError: it names a line, address or carrier that is not there.
    """
    codes = Codes([body])
    ids = {line.position: line.id for line in page.lines}
    asked = body.get("lines", ())
    unknown = ["line" in each and each["line"] not in ids for each in asked]
    if any(unknown):
        said = {"line": [ErrorDetail("There is no such line.", "unknown")]}
        raise ValidationError({"lines": [said if bad else {} for bad in unknown]})
    to = address(body["ship_to"], page.customer_id) if "ship_to" in body else None
    return Amendment(
        lines=[
            _change(ids[each["line"]], each, codes) if "line" in each else codes.line(each)
            for each in asked
        ],
        customer_po=body.get("customer_po"),
        external_ref=body.get("external_ref"),
        requested_date=body.get("requested_date"),
        ship_to=to,
        carrier_id=codes.carrier(body),
        freight=body.get("freight"),
        reason=body.get("reason", ""),
        **{n: v for n, v in body.get("constraints", {}).items() if n in FLAGS},
    )


def _change(line_id: int, body: Mapping[str, Any], codes: Codes) -> LineChange:
    node = codes.node(body)
    return LineChange(
        line_id,
        quantity=body.get("quantity"),
        unit_price=body.get("price"),
        discount=body.get("discount"),
        node_id=0 if node is None and "node" in body else node,
        disposition=body.get("disposition"),
    )


def rewritten(page: OrderPage, body: Mapping[str, Any]) -> OrderDraft:
    """Return the draft as it stands, with what the body changes."""
    codes = Codes([body])
    kept = OrderDraft(
        entity_id=page.entity_id,
        customer_id=page.customer_id,
        lines=codes.lines(body) if "lines" in body else _kept_lines(page),
        customer_po=page.customer_po,
        requested_date=page.requested_date,
        ship_to=page.ship_to,
        external_ref=page.external_ref,
        freight=page.freight,
        carrier_id=Codes([{"carrier": page.carrier}]).carrier({"carrier": page.carrier}),
        ship_complete=page.ship_complete,
        no_split=page.no_split,
        no_substitutes=page.no_substitutes,
    )
    plain = ("customer_po", "external_ref", "requested_date", "freight")
    changes = {name: body[name] for name in plain if name in body} | split(
        body.get("constraints", {})
    )
    if "ship_to" in body:
        changes["ship_to"] = address(body["ship_to"], page.customer_id)
    if "carrier" in body:
        changes["carrier_id"] = codes.carrier(body)
    return replace(kept, **changes)


def _kept_lines(page: OrderPage) -> list[LineDraft]:
    """Return the lines as they stand; what was priced by a list is priced again."""
    nodes = Codes(
        [{"lines": [{"product": line.product, "node": line.node} for line in page.lines]}]
    )
    return [
        LineDraft(
            product_id=nodes.products[line.product.upper()],
            quantity=line.sold_quantity,
            uom=line.sold_uom,
            unit_price=line.unit_price if line.price_source == "entered" else None,
            discount=line.discount,
            node_id=nodes.nodes.get(line.node) if line.node else None,
            fresh_days=line.fresh_days,
        )
        for line in page.lines
    ]
