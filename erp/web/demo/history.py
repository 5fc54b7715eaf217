"""Ninety days of business, made by the services that serve today, with yesterday's clock."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import accumulate
from random import Random

from erp.accounts.models import Entity, User
from erp.kernel.sql import rows
from erp.web.demo.company import Company, DemoCustomer, DemoProduct
from erp.web.demo.founding import CARRIERS, HISTORY_DAYS, codes
from finance.services import (
    PaymentDraft,
    deliver_shipments,
    invoice_shipments,
    post_payments,
    receive_purchase_order,
    ship_shipments,
)
from inventory.rules import carriage
from inventory.services import Pack, Pick, pack_shipments
from orders.services import (
    LineDraft,
    OrderDraft,
    allocate_orders,
    create_orders,
    pick_shipments,
    submit_orders,
)
from procurement.services import (
    accept_proposals,
    approve_order,
    replenish,
    send_order,
    submit_order,
)

MORNING, NOON, AFTERNOON = time(8), time(12), time(15)  # UTC
CHANNELS = ("page", "api", "edi", "csv")
AIR = {c: (Decimal(base), Decimal(kg)) for c, _, base, kg, _ in CARRIERS}["AIRBRIDGE"]
AS_WISHED = 0.06  # share of the orders that are carried as the customer likes, whatever it costs
BY_AIR, BY_ROAD, FREE_FROM = Decimal(500), Decimal(800), Decimal(250)  # US dollars of goods
TO_SHIP = """
    SELECT id FROM inventory_shipment WHERE state = 'planned' AND planned_date <= %s
    AND (id * 2654435761 + %s) %% 100 >= 6 ORDER BY id
"""
ARRIVED = """
    SELECT a.arrives, array_agg(a.id ORDER BY a.id) FROM (
        SELECT s.id, s.shipped_at::date + coalesce(c.transit_days, 2)
               + CASE WHEN (s.id * 40503) %% 100 < 5 THEN 2 ELSE 0 END AS arrives
        FROM inventory_shipment s LEFT JOIN inventory_carrier c ON c.id = s.carrier_id
        WHERE s.state = 'shipped'
    ) a WHERE a.arrives <= %s GROUP BY 1 ORDER BY 1
"""
DUE = """
    SELECT i.entity_id, i.customer_id, i.number, i.total - i.paid, i.due_date, c.code
    FROM finance_invoice i JOIN orders_customer c ON c.id = i.customer_id
    WHERE i.state IN ('posted', 'partly_paid') AND i.due_date <= %s ORDER BY i.id
"""
INCOMING = """
    SELECT o.id, s.code, o.expected_date FROM procurement_purchaseorder o
    JOIN procurement_supplier s ON s.id = o.supplier_id
    WHERE o.state IN ('sent', 'acknowledged', 'partly_received') AND o.expected_date <= %s
    ORDER BY o.id
"""
LINES = """
    SELECT id, quantity - received FROM procurement_purchaseorderline
    WHERE order_id = %s AND quantity > received ORDER BY id
"""
WAITING = """
    SELECT id FROM orders_order WHERE state IN ('backordered', 'partly_allocated', 'partly_shipped')
    ORDER BY priority, id
"""
ASKED = """
    SELECT role FROM governance_approval
    WHERE document_kind = 'procurement.order' AND document_id = %s AND state = 'pending'
"""
PROPOSALS = "SELECT id FROM procurement_purchaseproposal WHERE state = 'open' ORDER BY id"


class Past:
    """Runs the days. Everything it draws comes from one seeded source, in a fixed order."""

    def __init__(
        self, company: Company, entities: dict[str, Entity], *, seed: int, orders_a_day: int
    ) -> None:
        self.company, self.entities = company, entities
        self.orders_a_day = orders_a_day
        self.random = Random(seed + 2)  # noqa: S311
        self.products = codes("inventory_product")
        self.customers = codes("orders_customer")
        self.carriers = codes("inventory_carrier")
        self.weights = list(accumulate(p.demand for p in company.products))
        self.people = {u.username: u for u in User.objects.all()}
        self.slips = {s.code: s.slips for s in company.suppliers}
        self.slow = {c.code: c.slow_days for c in company.customers}

    def days(self, today: date) -> Iterator[date]:
        """Yield the working days of the history, up to yesterday."""
        for back in range(HISTORY_DAYS, 0, -1):
            day = today - timedelta(days=back)
            if day.weekday() < 5:  # noqa: PLR2004  Monday to Friday
                yield day

    def run(self, day: date) -> int:
        """Do one day's business; return how many orders came in."""
        morning = datetime.combine(day, MORNING, UTC)
        afternoon = datetime.combine(day, AFTERNOON, UTC)
        self._receive(day, morning)
        if day.weekday() == 0:
            self._buy(morning)
        drafts = [self.draft(day) for _ in range(self.orders_a_day)]
        made = create_orders(drafts=drafts, actor=self.people["order_desk"], now=morning)
        ids = [order.id for order in made]
        submit_orders(order_ids=ids, actor=self.people["order_desk"], now=morning)
        allocate_orders(order_ids=ids, limit=len(ids), cause="history", now=morning)
        self._ship(day, afternoon)
        self._collect(day, afternoon)
        return len(ids)

    def draft(self, day: date, customer: DemoCustomer | None = None) -> OrderDraft:
        """Make up one order for a day."""
        buyer = customer or self.random.choice(self.company.customers)
        count = min(self.random.choice((1, 2, 3, 3, 4, 4, 5, 6, 9)), len(self.company.products))
        chosen = {p.code: p for p in self._wanted(count)}
        lines = [self._line(p, buyer) for p in chosen.values()]
        carrier, freight = self._carriage(buyer, list(zip(chosen.values(), lines, strict=True)))
        return OrderDraft(
            entity_id=self.entities[buyer.entity.code].pk,
            customer_id=self.customers[buyer.code],
            channel=self.random.choice(CHANNELS),
            customer_po=f"PO {self.random.randint(10_000, 99_999)}",
            requested_date=day + timedelta(days=self.random.choice((2, 3, 3, 4, 5, 7, 10))),
            carrier_id=self.carriers[carrier],
            freight=freight,
            lines=lines,
        )

    def _carriage(
        self, buyer: DemoCustomer, lines: list[tuple[DemoProduct, LineDraft]]
    ) -> tuple[str, Decimal]:
        """Choose who carries an order, and what the customer pays for it in his currency.

        The desk weighs it against the goods; where the customer had his wish, nobody did.
        """
        carrier = self.random.choice(sorted(self.carriers))
        freight = Decimal(self.random.choice((0, 0, 12, 25)))
        if self.random.random() < AS_WISHED:
            return carrier, freight
        units = [(p, line.quantity * (p.case if line.uom else 1)) for p, line in lines]
        worth = sum((p.price * quantity for p, quantity in units), Decimal(0))
        if carrier == "AIRBRIDGE" and worth >= BY_AIR:
            weight = sum((p.weight * quantity for p, quantity in units), Decimal(0))
            freight = carriage(weight, base=AIR[0], per_kg=AIR[1])
        elif carrier != "ROADLINE" or worth < BY_ROAD:
            carrier = "SWIFT"
            freight = freight if worth >= FREE_FROM else max(freight, Decimal(12))
        return carrier, (freight * buyer.entity.rate).quantize(Decimal(1))

    def _wanted(self, count: int) -> list[DemoProduct]:
        return self.random.choices(self.company.products, cum_weights=self.weights, k=count)

    def _line(self, product: DemoProduct, buyer: DemoCustomer) -> LineDraft:
        by_case = self.random.random() < (0.5 if buyer.tier in "AB" else 0.15)
        return LineDraft(
            product_id=self.products[product.code],
            quantity=Decimal(self.random.randint(1, 2 if by_case else 8)),
            uom="CASE" if by_case else "",
        )

    def _ship(self, day: date, at: datetime) -> None:
        shipments = [row[0] for row in rows(TO_SHIP, [day, day.toordinal()])]
        floor, dock = self.people["warehouse"], self.people["shipping"]
        if shipments:
            pick_shipments(picks=[Pick(shipment_id=i) for i in shipments], actor=floor, now=at)
            pack_shipments(packs=[Pack(shipment_id=i) for i in shipments], actor=floor, now=at)
            ship_shipments(shipment_ids=shipments, actor=dock, now=at)
            invoice_shipments(shipment_ids=shipments, now=at)
        for arrives, arrived in rows(ARRIVED, [day]):
            deliver_shipments(shipment_ids=arrived, now=datetime.combine(arrives, NOON, UTC))

    def _collect(self, day: date, at: datetime) -> None:
        payments = [
            PaymentDraft(
                entity_id=entity_id,
                customer_id=customer_id,
                amount=owed,
                reference=f"transfer for {number}",
                received_date=day,
                allocations=[(number, owed)],
            )
            for entity_id, customer_id, number, owed, due, code in rows(DUE, [day])
            if day >= due + timedelta(days=self.slow[code])
        ]
        if payments:
            post_payments(payments=payments, actor=self.people["ar"], now=at)

    def _buy(self, at: datetime) -> None:
        replenish(keys=None, now=at)
        proposals = [row[0] for row in rows(PROPOSALS)]
        if not proposals:
            return
        buyer = self.people["buyer"]
        for order in accept_proposals(proposal_ids=proposals, actor=buyer, now=at):
            submitted = submit_order(order_id=order.id, actor=buyer, now=at)
            if submitted.state == "pending":
                self.approve(order.id, at)
            send_order(order_id=order.id, actor=buyer, now=at)

    def approve(self, order_id: int, at: datetime) -> None:
        """Have a purchase order approved by whoever the approval asks for."""
        while asked := rows(ASKED, [order_id]):
            approver = self.people[asked[0][0] or "operations_lead"]
            approve_order(order_id=order_id, actor=approver, now=at)

    def _receive(self, day: date, at: datetime) -> None:
        floor = self.people["warehouse"]
        received = False
        for order_id, supplier, expected in rows(INCOMING, [day]):
            if day < expected + timedelta(days=self.slips[supplier]):
                continue
            lines = [(line_id, quantity) for line_id, quantity in rows(LINES, [order_id])]
            receive_purchase_order(order_id=order_id, lines=lines, actor=floor, now=at)
            received = True
        if received:
            waiting = [row[0] for row in rows(WAITING)]
            if waiting:
                allocate_orders(order_ids=waiting, limit=len(waiting), cause="history", now=at)
