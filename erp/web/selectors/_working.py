"""What each role has to do today: lists across the domains, the most urgent first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TypedDict

from erp.accounts.models import Role, User
from erp.governance.selectors import waiting_for
from erp.kernel.sql import rows

SHOWN = 8


@dataclass(frozen=True, slots=True)
class Worklist:
    """One kind of work. `page` is the url name of the whole list, `record` that of one thing.

    The statement selects ref, title, note, state, due (a moment or a day), severity, amount,
    currency, and how many there are in all; it gets the fields of `Asked`. A list that an app
    below decides by itself has `read` instead. `query` narrows `page` to the list.
    """

    key: str
    title: str
    nothing: str
    permission: str
    page: str
    record: str
    roles: frozenset[str]
    statement: str
    query: str = ""
    read: "Callable[[User, Asked], tuple[int, list[Work]]] | None" = None


class Asked(TypedDict):
    """What a worklist is asked with. `desk` and `sees_all` widen a list beyond one's own roles."""

    entities: list[int]
    user: int
    roles: list[str]
    sees_all: bool
    desk: bool
    today: date
    limit: int


@dataclass(frozen=True, slots=True)
class Work:
    """One thing to do. `due` may be a moment or a business date; `amount` is in `currency`."""

    ref: str
    title: str
    note: str
    state: str
    due: datetime | date | None
    severity: int | None
    amount: Decimal | None
    currency: str

    @property
    def due_at(self) -> datetime | None:
        return self.due if isinstance(self.due, datetime) else None


EVERYBODY = frozenset(Role.values)


def held_by(*roles: Role) -> frozenset[str]:
    return frozenset(roles)


def approvals_waiting(user: User, asked: Asked) -> tuple[int, list[Work]]:
    """Return what waits for the person's decision, the oldest first, as governance says."""
    waiting = [
        Work(str(a.id), a.label, a.consequence, "", a.requested_at, None, a.amount, a.currency)
        for a in waiting_for(user=user, entity_ids=asked["entities"])
        if not a.is_own
    ]
    return len(waiting), waiting[: asked["limit"]]


WORKLISTS: Sequence[Worklist] = (
    Worklist(
        "cases", "Exceptions for you", "No exception waits for you.",
        "exceptions.view_exceptioncase", "exceptions:queue", "exceptions:case",
        EVERYBODY - {Role.PARTNER}, """
        SELECT x.id::text, x.subject_label, x.summary, x.state, x.resolve_by, x.severity,
               x.expected_loss, x.currency, count(*) OVER ()
        FROM exceptions_exceptioncase x
        WHERE x.entity_id = ANY(%(entities)s) AND x.state NOT IN ('resolved', 'dismissed')
          AND (x.owner_id = %(user)s OR x.owner_id IS NULL AND x.queue = ANY(%(roles)s)
               OR %(sees_all)s)
        ORDER BY x.severity, x.resolve_by LIMIT %(limit)s"""),
    Worklist(
        "approvals", "To approve", "Nothing waits for your approval.",
        "governance.view_approval", "governance:approvals", "",
        EVERYBODY - {Role.PARTNER}, "", read=approvals_waiting),
    Worklist(
        "holds", "Orders on hold", "No order is held.",
        "orders.view_order", "orders:board", "orders:order",
        held_by(Role.CREDIT, Role.PRICING, Role.ORDER_DESK, Role.CUSTOMER_SERVICE,
                Role.OPERATIONS_LEAD), """
        SELECT o.number, c.name, h.reason, h.kind, h.placed_at, NULL::int, o.total, o.currency,
               count(*) OVER ()
        FROM orders_hold h JOIN orders_order o ON o.id = h.order_id
        JOIN orders_customer c ON c.id = o.customer_id
        WHERE o.entity_id = ANY(%(entities)s) AND h.state = 'active' AND o.state = 'held'
          AND (h.owner_role = ANY(%(roles)s) OR %(desk)s)
        ORDER BY o.total DESC LIMIT %(limit)s""", "state=held"),
    Worklist(
        "short", "Short of stock", "Every released order has its stock.",
        "orders.view_order", "orders:board", "orders:order",
        held_by(Role.PLANNER, Role.OPERATIONS_LEAD, Role.CUSTOMER_SERVICE), """
        SELECT o.number, c.name, coalesce('tier ' || c.tier, ''), o.state,
               coalesce(o.promised_date, o.requested_date), NULL::int, o.total, o.currency,
               count(*) OVER ()
        FROM orders_order o JOIN orders_customer c ON c.id = o.customer_id
        WHERE o.entity_id = ANY(%(entities)s) AND o.state IN ('backordered', 'partly_allocated')
        ORDER BY coalesce(o.promised_date, o.requested_date), o.id LIMIT %(limit)s""",
        "state=backordered"),
    Worklist(
        "late", "Past their promise", "No open order is past its promise.",
        "orders.view_order", "orders:board", "orders:order",
        held_by(Role.CUSTOMER_SERVICE, Role.OPERATIONS_LEAD, Role.EXECUTIVE), """
        SELECT o.number, c.name, coalesce(o.customer_po, ''), o.state, o.promised_date,
               NULL::int, o.total, o.currency, count(*) OVER ()
        FROM orders_order o JOIN orders_customer c ON c.id = o.customer_id
        WHERE o.entity_id = ANY(%(entities)s) AND o.promised_date < %(today)s
          AND o.state IN ('submitted', 'held', 'released', 'allocated', 'partly_allocated',
                          'backordered', 'fulfilling', 'partly_shipped')
        ORDER BY o.promised_date, o.id LIMIT %(limit)s"""),
    Worklist(
        "proposals", "Purchases proposed", "Nothing needs to be bought.",
        "procurement.view_purchaseproposal", "procurement:proposals", "",
        held_by(Role.BUYER, Role.PLANNER), """
        SELECT p.id::text, d.code || ' · ' || d.name, s.name || ' → ' || n.name, '', p.need_by,
               NULL::int, round(p.quantity * p.unit_price, 2), p.currency, count(*) OVER ()
        FROM procurement_purchaseproposal p JOIN inventory_product d ON d.id = p.product_id
        JOIN procurement_supplier s ON s.id = p.supplier_id
        JOIN inventory_node n ON n.id = p.node_id
        WHERE p.entity_id = ANY(%(entities)s) AND p.state = 'open'
        ORDER BY p.need_by, p.id LIMIT %(limit)s"""),
    Worklist(
        "late_supply", "Suppliers late", "Every purchase order is on time.",
        "procurement.view_purchaseorder", "procurement:board", "procurement:order",
        held_by(Role.BUYER, Role.PLANNER), """
        SELECT p.number, s.name, n.name, p.state, p.expected_date, NULL::int, p.total, p.currency,
               count(*) OVER ()
        FROM procurement_purchaseorder p JOIN procurement_supplier s ON s.id = p.supplier_id
        JOIN inventory_node n ON n.id = p.node_id
        WHERE p.entity_id = ANY(%(entities)s) AND p.expected_date < %(today)s
          AND p.state IN ('sent', 'acknowledged', 'partly_received')
        ORDER BY p.expected_date, p.id LIMIT %(limit)s"""),
    Worklist(
        "receiving", "To receive", "Nothing is expected.",
        "inventory.receive_goods", "finance:receiving", "finance:receive",
        held_by(Role.WAREHOUSE), """
        SELECT p.number, s.name, n.name, p.state, p.expected_date, NULL::int, NULL::numeric, '',
               count(*) OVER ()
        FROM procurement_purchaseorder p JOIN procurement_supplier s ON s.id = p.supplier_id
        JOIN inventory_node n ON n.id = p.node_id
        WHERE p.entity_id = ANY(%(entities)s)
          AND p.state IN ('sent', 'acknowledged', 'partly_received')
        ORDER BY p.expected_date, p.id LIMIT %(limit)s"""),
    Worklist(
        "picking", "To pick and pack", "Nothing is left to pick.",
        "inventory.pick_shipment", "finance:picking", "finance:shipment",
        held_by(Role.WAREHOUSE), """
        SELECT s.number, n.name, s.source_number, s.state, s.planned_date, NULL::int,
               NULL::numeric, '', count(*) OVER ()
        FROM inventory_shipment s JOIN inventory_node n ON n.id = s.node_id
        WHERE s.entity_id = ANY(%(entities)s) AND s.state IN ('planned', 'picked')
        ORDER BY s.planned_date, s.id LIMIT %(limit)s"""),
    Worklist(
        "shipping", "Packed, to ship", "Nothing waits for a truck.",
        "inventory.view_shipment", "finance:shipments", "finance:shipment",
        held_by(Role.SHIPPING), """
        SELECT s.number, n.name, s.source_number, s.state, s.planned_date, NULL::int,
               NULL::numeric, '', count(*) OVER ()
        FROM inventory_shipment s JOIN inventory_node n ON n.id = s.node_id
        WHERE s.entity_id = ANY(%(entities)s) AND s.state = 'packed'
        ORDER BY s.planned_date, s.id LIMIT %(limit)s""", "state=packed"),
    Worklist(
        "overdue", "Invoices overdue", "Every customer has paid in time.",
        "finance.view_invoice", "finance:invoices", "finance:invoice",
        held_by(Role.AR, Role.CONTROLLER, Role.CREDIT), """
        SELECT i.number, c.name, '', i.state, i.due_date, NULL::int, i.total - i.paid, i.currency,
               count(*) OVER ()
        FROM finance_invoice i JOIN orders_customer c ON c.id = i.customer_id
        WHERE i.entity_id = ANY(%(entities)s) AND i.state IN ('posted', 'partly_paid')
          AND i.due_date < %(today)s
        ORDER BY i.due_date, i.id LIMIT %(limit)s"""),
    Worklist(
        "cash", "Cash not applied", "Every payment is on an invoice.",
        "finance.view_payment", "finance:payments", "",
        held_by(Role.AR, Role.CONTROLLER), """
        SELECT p.number, c.name, p.reference, '', p.received_date, NULL::int, p.unapplied,
               p.currency, count(*) OVER ()
        FROM finance_payment p JOIN orders_customer c ON c.id = p.customer_id
        WHERE p.entity_id = ANY(%(entities)s) AND p.unapplied > 0
        ORDER BY p.received_date, p.id LIMIT %(limit)s"""),
)  # fmt: skip

OVERSEERS = frozenset({Role.ADMINISTRATOR, Role.OPERATIONS_LEAD, Role.EXECUTIVE})
DESK = frozenset({Role.ORDER_DESK, Role.CUSTOMER_SERVICE, Role.OPERATIONS_LEAD})


def my_work(
    user: User,
    *,
    roles: frozenset[str],
    entities: Callable[[str], frozenset[int]],
    today: date,
    limit: int = SHOWN,
) -> list[tuple[Worklist, int, list[Work]]]:
    """Return the lists of the person's roles with how many are in each; one query a list.

    A person whose roles have no list of their own, and a superuser, get every list they may see.
    """
    mine = [w for w in WORKLISTS if w.roles & roles]
    if user.is_superuser or not roles or roles <= {Role.ADMINISTRATOR, Role.STEWARD}:
        mine = list(WORKLISTS)
    lists = []
    for worklist in mine:
        ids = entities(worklist.permission)
        if ids:
            asked = Asked(
                entities=sorted(ids),
                user=user.pk,
                roles=sorted(roles),
                sees_all=user.is_superuser or bool(roles & OVERSEERS),
                desk=user.is_superuser or bool(roles & DESK),
                today=today,
                limit=limit,
            )
            lists.append((worklist, *(worklist.read or by_statement(worklist))(user, asked)))
    return lists


def by_statement(worklist: Worklist) -> Callable[[User, Asked], tuple[int, list[Work]]]:
    def read(user: User, asked: Asked) -> tuple[int, list[Work]]:
        found = rows(worklist.statement, asked)
        return (int(found[0][-1]) if found else 0), [Work(*row[:-1]) for row in found]

    return read
