"""Search by number, code or name: a handful of each kind, only what the person may see."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from erp.kernel.sql import rows

LIMIT = 5
SHORTEST, LONGEST = 2, 80  # characters of a text that is searched for


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing to search: `page` is the url name of its record, whose argument is `ref`.

    The statement selects ref, label, hint, state. It gets `starts` (upper case, ends with %),
    `holds` (the text anywhere), `digits` (for a number typed without its letters), `entities`.
    """

    name: str
    icon: str
    permission: str
    page: str
    statement: str


@dataclass(frozen=True, slots=True)
class Found:
    """One hit, as the palette shows it."""

    kind: str
    icon: str
    page: str
    ref: str
    label: str
    hint: str
    state: str


KINDS: Sequence[Kind] = (
    Kind("Orders", "shopping-cart", "orders.view_order", "orders:order", """
        SELECT o.number, o.number, c.name || ' · ' || nullif(o.customer_po, ''), o.state
        FROM orders_order o JOIN orders_customer c ON c.id = o.customer_id
        WHERE o.entity_id = ANY(%(entities)s)
          AND (o.number LIKE %(starts)s OR o.number LIKE 'SO-' || %(digits)s
               OR upper(o.customer_po) = upper(%(text)s))
        ORDER BY o.id DESC LIMIT %(limit)s"""),
    Kind("Quotes", "file-pen", "orders.view_quote", "orders:quote", """
        SELECT q.number, q.number, c.name || ' · ' || nullif(q.customer_po, ''), q.state
        FROM orders_quote q JOIN orders_customer c ON c.id = q.customer_id
        WHERE q.entity_id = ANY(%(entities)s)
          AND (q.number LIKE %(starts)s OR q.number LIKE 'QT-' || %(digits)s)
        ORDER BY q.id DESC LIMIT %(limit)s"""),
    Kind("Blanket orders", "calendar-clock", "orders.view_blanket", "orders:blanket", """
        SELECT b.number, b.number, c.name, b.state
        FROM orders_blanket b JOIN orders_customer c ON c.id = b.customer_id
        WHERE b.entity_id = ANY(%(entities)s)
          AND (b.number LIKE %(starts)s OR b.number LIKE 'BO-' || %(digits)s)
        ORDER BY b.id DESC LIMIT %(limit)s"""),
    Kind("Customers", "users", "orders.view_customer", "orders:customer", """
        SELECT c.code, c.name, 'Tier ' || c.tier || ' · ' || c.code,
               CASE WHEN c.is_blocked THEN 'blocked' ELSE '' END
        FROM orders_customer c
        WHERE (upper(c.code) LIKE %(starts)s OR c.name ILIKE %(holds)s)
          AND EXISTS (SELECT 1 FROM orders_creditaccount a
                      WHERE a.customer_id = c.id AND a.entity_id = ANY(%(entities)s))
        ORDER BY upper(c.name) LIKE %(starts)s DESC, c.name LIMIT %(limit)s"""),
    Kind("Products", "package-search", "inventory.view_product", "inventory:product", """
        SELECT p.code, p.name, p.code, CASE WHEN p.is_blocked THEN 'blocked' ELSE '' END
        FROM inventory_product p
        WHERE upper(p.code) LIKE %(starts)s OR p.name ILIKE %(holds)s OR p.barcode = %(text)s
        ORDER BY upper(p.code) LIKE %(starts)s DESC, p.code LIMIT %(limit)s"""),
    Kind("Shipments", "truck", "inventory.view_shipment", "finance:shipment", """
        SELECT s.number, s.number, s.source_number || ' · ' || n.name, s.state
        FROM inventory_shipment s JOIN inventory_node n ON n.id = s.node_id
        WHERE s.entity_id = ANY(%(entities)s)
          AND (s.number LIKE %(starts)s OR s.number LIKE 'SH-' || %(digits)s)
        ORDER BY s.id DESC LIMIT %(limit)s"""),
    Kind("Transfers", "arrow-left-right", "inventory.view_transfer", "finance:transfer", """
        SELECT t.number, t.number, o.name || ' → ' || d.name, t.state
        FROM inventory_transfer t
        JOIN inventory_node o ON o.id = t.origin_id JOIN inventory_node d ON d.id = t.destination_id
        WHERE (t.entity_id = ANY(%(entities)s) OR t.to_entity_id = ANY(%(entities)s))
          AND (t.number LIKE %(starts)s OR t.number LIKE 'TR-' || %(digits)s)
        ORDER BY t.id DESC LIMIT %(limit)s"""),
    Kind("Purchase orders", "clipboard-list", "procurement.view_purchaseorder",
         "procurement:order", """
        SELECT p.number, p.number, s.name, p.state
        FROM procurement_purchaseorder p JOIN procurement_supplier s ON s.id = p.supplier_id
        WHERE p.entity_id = ANY(%(entities)s)
          AND (p.number LIKE %(starts)s OR p.number LIKE 'PO-' || %(digits)s)
        ORDER BY p.id DESC LIMIT %(limit)s"""),
    Kind("Suppliers", "factory", "procurement.view_supplier", "procurement:supplier", """
        SELECT s.code, s.name, s.code, ''
        FROM procurement_supplier s
        WHERE upper(s.code) LIKE %(starts)s OR s.name ILIKE %(holds)s
        ORDER BY s.name LIMIT %(limit)s"""),
    Kind("Invoices", "receipt", "finance.view_invoice", "finance:invoice", """
        SELECT i.number, i.number, c.name, i.state
        FROM finance_invoice i JOIN orders_customer c ON c.id = i.customer_id
        WHERE i.entity_id = ANY(%(entities)s) AND i.number IS NOT NULL
          AND (upper(i.number) LIKE %(starts)s OR i.number LIKE '%%-' || %(digits)s)
        ORDER BY i.id DESC LIMIT %(limit)s"""),
    Kind("Exceptions", "siren", "exceptions.view_exceptioncase", "exceptions:case", """
        SELECT x.id::text, x.subject_label, x.summary, x.state
        FROM exceptions_exceptioncase x
        WHERE x.entity_id = ANY(%(entities)s) AND x.state NOT IN ('resolved', 'dismissed')
          AND (x.subject_label ILIKE %(holds)s OR x.party ILIKE %(holds)s)
        ORDER BY x.severity, x.resolve_by LIMIT %(limit)s"""),
)  # fmt: skip


def find(
    text: str, *, entities: Callable[[str], frozenset[int]], limit: int = LIMIT
) -> list[Found]:
    """Return at most `limit` hits of each kind; `entities(permission)` says where to look.

    One query for each kind the person may see.
    """
    text = " ".join(text.replace("\0", " ").split())[:LONGEST]
    if len(text) < SHORTEST:
        return []
    plain = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    asked = {
        "text": text,
        "starts": plain.upper() + "%",
        "holds": f"%{plain}%",
        "digits": plain.upper() + "%" if text.isdigit() else "",
        "limit": limit,
    }
    found: list[Found] = []
    for kind in KINDS:
        ids = entities(kind.permission)
        if ids:
            hits = rows(kind.statement, {**asked, "entities": sorted(ids)})
            found += [
                Found(kind.name, kind.icon, kind.page, ref, label, hint or "", state)
                for ref, label, hint, state in hits
            ]
    return found
