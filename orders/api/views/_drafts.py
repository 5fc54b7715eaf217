"""From what a client writes to a draft: codes become ids."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from erp.api.problems import ErrorDetail, ValidationError
from orders.selectors import ids_by_code, part_number_ids, product_ids, ship_to_of
from orders.services import LineDraft, OrderDraft

NOBODY = 0  # no row has it: the service names the field
NONE = Decimal(0)

FLAGS = ("ship_complete", "no_split", "no_substitutes")


class Codes:
    """The ids behind the codes of many bodies. Four queries for all."""

    def __init__(self, bodies: Sequence[Mapping[str, Any]]) -> None:
        lines = [line for body in bodies for line in body.get("lines", ())]
        self.products = product_ids(codes={line["product"] for line in lines if "product" in line})
        self.customers = ids_by_code("customer", {b["customer"] for b in bodies if "customer" in b})
        self.theirs = self._part_numbers(bodies)
        nodes = {line["node"] for line in lines if line.get("node")}
        self.nodes = ids_by_code("node", nodes) if nodes else {}
        carriers = {body["carrier"] for body in bodies if body.get("carrier")}
        self.carriers = ids_by_code("carrier", carriers) if carriers else {}

    def lines(self, body: Mapping[str, Any]) -> list[LineDraft]:
        customer_id = self.customers.get(body.get("customer", ""), NOBODY)
        return [self.line(line, customer_id) for line in body["lines"]]

    def line(self, line: Mapping[str, Any], customer_id: int = NOBODY) -> LineDraft:
        return LineDraft(
            product_id=self.product(line["product"], customer_id),
            quantity=line["quantity"],
            uom=line.get("uom", ""),
            unit_price=line.get("price"),
            discount=line.get("discount", NONE),
            node_id=self.node(line),
            disposition=line.get("disposition", ""),
            fresh_days=line.get("min_shelf_days"),
        )

    def product(self, typed: str, customer_id: int = NOBODY) -> int:
        """Return what a code means: ours, else the customer's own number."""
        code = typed.upper()
        return self.products.get(code, self.theirs.get((customer_id, code), NOBODY))

    def _part_numbers(self, bodies: Sequence[Mapping[str, Any]]) -> dict[tuple[int, str], int]:
        """Return what customers mean by codes that are none of ours. One query at most."""
        pairs = {
            (self.customers[body["customer"]], line["product"].upper())
            for body in bodies
            if body.get("customer") in self.customers
            for line in body.get("lines", ())
            if "product" in line and line["product"].upper() not in self.products
        }
        return part_number_ids(pairs=pairs) if pairs else {}

    def node(self, line: Mapping[str, Any]) -> int | None:
        return self.nodes.get(line["node"], NOBODY) if line.get("node") else None

    def carrier(self, body: Mapping[str, Any]) -> int | None:
        """Return the carrier's id, or none where none is named.

        Raises:
            ValidationError: there is no such carrier.
        """
        code = body.get("carrier")
        if not code:
            return None
        if code not in self.carriers:
            raise _unknown("carrier", code)
        return self.carriers[code]


def draft_of(body: Mapping[str, Any], entity_id: int, codes: Codes) -> OrderDraft:
    """Return the draft that a body describes.

    Raises:
        ValidationError: it names an address or carrier that is not there.
    """
    customer_id = codes.customers.get(body["customer"], NOBODY)
    return OrderDraft(
        entity_id=entity_id,
        customer_id=customer_id,
        lines=codes.lines(body),
        channel=body.get("channel") or "api",
        customer_po=body.get("customer_po", ""),
        requested_date=body.get("requested_date"),
        ship_to=address(body.get("ship_to") or {}, customer_id),
        client_key=body.get("client_key") or None,
        external_ref=body.get("external_ref", ""),
        freight=body.get("freight", NONE),
        carrier_id=codes.carrier(body),
        currency=body.get("currency", ""),
        disposition=body.get("disposition", ""),
        **split(body.get("constraints", {})),
    )


def split(constraints: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an order's own columns say of constraints, and the rest as `serving`."""
    own = {name: constraints[name] for name in FLAGS if name in constraints}
    rest = {name: value for name, value in constraints.items() if name not in FLAGS}
    return {**own, "serving": rest} if rest else own


def address(given: Mapping[str, str], customer_id: int) -> dict[str, str]:
    """Return the address that a body gives, or the customer's that it names.

    Raises:
        ValidationError: the customer has no such address.
    """
    named = {name: value for name, value in given.items() if value and name != "code"}
    if not given.get("code"):
        return named
    known = ship_to_of(customer_id=customer_id, code=given["code"])
    if known is None:
        raise ValidationError({"ship_to": {"code": [ErrorDetail("No such address.", "unknown")]}})
    return known | named


def _unknown(kind: str, code: str) -> ValidationError:
    return ValidationError({kind: [ErrorDetail(f"There is no {kind} {code[:40]!r}.", "unknown")]})
