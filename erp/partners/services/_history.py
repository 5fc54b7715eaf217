"""Loads orders: open ones as they are, shipped ones through the services of their days."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from erp.accounts.models import Entity, User
from erp.kernel.sql import rows
from erp.partners.rules.checking import Loadable
from erp.partners.services._masters import ids_of
from finance.services import PaymentDraft, invoice_shipments, post_payments, ship_shipments
from inventory.services import Pack, Pick, pack_shipments
from orders.services import (
    LineDraft,
    OrderDraft,
    allocate_orders,
    create_orders,
    pick_shipments,
    submit_orders,
)

OPENS, LEAVES = time(9), time(15)  # UTC: when a day's orders come in, and when goods leave
TAKE, SHIP, PAY = 0, 1, 2
TERMS = timedelta(days=30)
TO_SHIP = """
    SELECT id FROM inventory_shipment
    WHERE source_kind = 'orders.order' AND source_id = ANY(%s) AND state = 'planned' ORDER BY id
"""
UNPAID = """
    SELECT o.id, o.customer_id, i.number, i.total - i.paid FROM finance_invoice i
    JOIN orders_order o ON o.id = i.order_id
    WHERE o.id = ANY(%s) AND i.state IN ('posted', 'partly_paid') ORDER BY i.id
"""


@dataclass(frozen=True, slots=True)
class Day:
    """What happens to which orders (by their ref) on one day. History comes before open orders."""

    is_open: bool
    on: date | None
    kind: int
    refs: tuple[str, ...]


def days_of(loadable: Sequence[Loadable]) -> list[Day]:
    """Put the orders of a file into days: taken when ordered, shipped when shipped, then paid.

    Orders that never shipped come last, so that they cannot take stock that history needs.
    """
    planned: dict[tuple[bool, date | None, int], dict[str, None]] = defaultdict(dict)
    for row in loadable:
        ref, ordered, shipped = (
            str(row.values["order_ref"]),
            row.values.get("ordered_on"),
            row.values.get("shipped_on"),
        )
        is_open = shipped is None
        taken: Any = ordered or shipped
        planned[(is_open, taken, TAKE)][ref] = None
        if isinstance(shipped, date):
            planned[(False, shipped, SHIP)][ref] = None
            planned[(False, shipped + TERMS, PAY)][ref] = None
    order = sorted(planned, key=lambda k: (k[0], k[1] or date.max, k[2]))
    return [Day(*key, tuple(planned[key])) for key in order]


class OrderLoader:
    """Runs the days of one import."""

    def __init__(self, loadable: Sequence[Loadable], entity: Entity, actor: User | None) -> None:
        self.entity, self.actor = entity, actor
        self.by_ref: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in loadable:
            self.by_ref[str(row.values["order_ref"])].append(row.values)
        self.days = days_of(loadable)

    def run(self, day: Day, now: datetime) -> tuple[int, int, list[int]]:
        """Do one day. Return how many rows it loaded, how many orders it made, and their ids."""
        at = now if day.on is None else datetime.combine(day.on, OPENS, UTC)
        if day.kind == TAKE:
            return self._take(day.refs, at)
        ids = self._ids(day.refs)
        if day.kind == SHIP:
            self._ship(ids, at.replace(hour=LEAVES.hour))
        else:
            self._pay(ids, at)
        return 0, 0, []

    def _take(self, refs: Sequence[str], at: datetime) -> tuple[int, int, list[int]]:
        drafts = self._drafts(refs)
        made = create_orders(drafts=drafts, actor=self.actor, now=at)
        new = [order.id for order in made if order.created]
        if new:
            submit_orders(order_ids=new, actor=self.actor, now=at)
            allocate_orders(order_ids=new, cause="import", now=at)
        return sum(len(draft.lines) for draft in drafts), len(new), new

    def _ship(self, ids: Sequence[int], at: datetime) -> None:
        shipments = [row[0] for row in rows(TO_SHIP, [list(ids)])]
        if not shipments:
            return
        pick_shipments(picks=[Pick(shipment_id=i) for i in shipments], actor=self.actor, now=at)
        pack_shipments(packs=[Pack(shipment_id=i) for i in shipments], actor=self.actor, now=at)
        ship_shipments(shipment_ids=shipments, actor=self.actor, now=at)
        invoice_shipments(shipment_ids=shipments, now=at)

    def _pay(self, ids: Sequence[int], at: datetime) -> None:
        payments = [
            PaymentDraft(
                entity_id=self.entity.pk,
                customer_id=customer_id,
                amount=due,
                reference=f"paid {number}",
                received_date=at.date(),
                allocations=[(number, due)],
            )
            for _, customer_id, number, due in rows(UNPAID, [list(ids)])
        ]
        if payments:
            post_payments(payments=payments, actor=self.actor, now=at)

    def _ids(self, refs: Sequence[str]) -> list[int]:
        keys = [_key(ref) for ref in refs]
        found = rows(
            "SELECT id FROM orders_order WHERE entity_id = %s AND client_key = ANY(%s) ORDER BY id",
            [self.entity.pk, keys],
        )
        return [row[0] for row in found]

    def _drafts(self, refs: Sequence[str]) -> list[OrderDraft]:
        lines = [line for ref in refs for line in self.by_ref[ref]]
        products = ids_of("inventory.Product", {line["product"] for line in lines})
        customers = ids_of("orders.Customer", {line["customer"] for line in lines})
        carriers = ids_of("inventory.Carrier", {line.get("carrier") for line in lines})
        return [self._draft(ref, self.by_ref[ref], products, customers, carriers) for ref in refs]

    def _draft(
        self,
        ref: str,
        lines: Sequence[dict[str, Any]],
        products: dict[str, int],
        customers: dict[str, int],
        carriers: dict[str, int],
    ) -> OrderDraft:
        head = lines[0]
        ship_to = {
            name.removeprefix("ship_to_"): value
            for name, value in head.items()
            if name.startswith("ship_to_") and value
        }
        return OrderDraft(
            entity_id=self.entity.pk,
            customer_id=customers[head["customer"]],
            channel="import",
            customer_po=head.get("customer_po") or "",
            requested_date=head["requested_date"],
            ship_to=ship_to,
            client_key=_key(ref),
            external_ref=ref,
            freight=head.get("freight") or Decimal(0),
            carrier_id=carriers.get(head.get("carrier") or ""),
            lines=[
                LineDraft(
                    product_id=products[line["product"]],
                    quantity=line["quantity"],
                    uom=line.get("uom") or "",
                    unit_price=line.get("unit_price"),
                    discount=line.get("discount") or Decimal(0),
                )
                for line in lines
            ],
        )


def _key(ref: str) -> str:
    return f"import:{ref}"
