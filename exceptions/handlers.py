"""What happened elsewhere, and which cases it opens or closes."""

from collections.abc import Sequence
from decimal import Decimal

from django.utils import timezone

from erp.governance.documents import DocumentKind, register_document
from erp.governance.events import ApprovalDecided, DutiesChanged
from erp.outbox.events import DeliveryDied
from erp.outbox.registry import subscribe, subscribe_batch
from exceptions.events import CaseEscalated, CaseOpened, CaseResolved
from exceptions.selectors import lines_behind, play_fingerprints, rules_of
from exceptions.services import (
    automate,
    clear,
    end_ladder,
    follow_play_approval,
    reconsider_children,
    refresh,
)
from exceptions.services._asking import KIND
from finance.events import InvoicePosted
from inventory.events import (
    InboundChanged,
    PickFellShort,
    ShipmentDelivered,
    ShipmentFailed,
    ShipmentRerouted,
    ShipmentShipped,
    TransferFellShort,
    TransferSettled,
)
from orders.events import (
    HoldLifted,
    LineCovered,
    LineFellShort,
    MatchFoundTooLate,
    OrderCancelled,
    OrderHeld,
    RestrictedTooLate,
)
from procurement.events import (
    PurchaseOrderApproved,
    PurchaseOrderCancelled,
    PurchaseOrderReceived,
    PurchaseOrderRescheduled,
)
from procurement.services import Waiting, note_served, note_waiting

TOO_LATE = "orders.law_found_too_late"
SUPPLY = ("procurement.late_supply", "procurement.supplier_change", "procurement.short_receipt")

register_document(KIND, DocumentKind(play_fingerprints, "Way out", page="exceptions:case"))


@subscribe(ApprovalDecided)
def follow_decision_about_play(event: ApprovalDecided) -> None:
    """Run a way out, or drop it, as was decided in the inbox, or by the clock."""
    if event.document_kind != KIND or event.cause == "automatic":
        return
    follow_play_approval(
        request_id=event.document_id, state=event.state, reason=event.reason, now=timezone.now()
    )


@subscribe_batch(CaseOpened)
def run_what_needs_no_person(events: Sequence[CaseOpened]) -> None:
    automate(case_ids=[event.case_id for event in events], now=timezone.now())


@subscribe(CaseEscalated)
def do_what_ends_a_ladder(event: CaseEscalated) -> None:
    if event.final:
        end_ladder(case_id=event.case_id, final=event.final, now=timezone.now())


@subscribe_batch(LineFellShort)
def tell_purchasing_who_waits(events: Sequence[LineFellShort]) -> None:
    demands = [
        Waiting("orders.line", each.line_id, each.entity_id, each.product_id, Decimal(each.missing))
        for each in events
    ]
    note_waiting(demands=demands, now=timezone.now())


@subscribe_batch(LineCovered)
def tell_purchasing_who_was_served(events: Sequence[LineCovered]) -> None:
    note_served(demand_kind="orders.line", demand_ids=[each.line_id for each in events])


@subscribe_batch(LineFellShort)
def open_cases_of_short_lines(events: Sequence[LineFellShort]) -> None:
    refresh(
        type="orders.shortage",
        subject_ids=[event.line_id for event in events],
        now=timezone.now(),
    )


@subscribe_batch(LineCovered)
def clear_cases_of_covered_lines(events: Sequence[LineCovered]) -> None:
    clear(
        type="orders.shortage",
        subject_ids=[event.line_id for event in events],
        now=timezone.now(),
    )


@subscribe_batch(OrderHeld)
def open_cases_of_holds(events: Sequence[OrderHeld]) -> None:
    orders_by_kind: dict[str, list[int]] = {}
    for event in events:
        for kind in event.kinds.split(","):
            orders_by_kind.setdefault(kind, []).append(event.order_id)
    for kind, order_ids in sorted(orders_by_kind.items()):
        refresh(type=f"orders.{kind}_hold", order_ids=order_ids, now=timezone.now())


@subscribe_batch(MatchFoundTooLate)
def open_cases_of_matches_found_too_late(events: Sequence[MatchFoundTooLate]) -> None:
    refresh(type=TOO_LATE, order_ids=[event.order_id for event in events], now=timezone.now())


@subscribe_batch(RestrictedTooLate)
def open_cases_of_goods_restricted_too_late(events: Sequence[RestrictedTooLate]) -> None:
    refresh(type=TOO_LATE, order_ids=[event.order_id for event in events], now=timezone.now())


@subscribe_batch(HoldLifted)
def clear_cases_of_lifted_holds(events: Sequence[HoldLifted]) -> None:
    holds_by_kind: dict[str, list[int]] = {}
    for event in events:
        holds_by_kind.setdefault(event.kind, []).append(event.hold_id)
    for kind, hold_ids in sorted(holds_by_kind.items()):
        clear(type=f"orders.{kind}_hold", subject_ids=hold_ids, now=timezone.now())


@subscribe_batch(OrderCancelled)
def clear_cases_of_cancelled_orders(events: Sequence[OrderCancelled]) -> None:
    clear(order_ids=[event.order_id for event in events], now=timezone.now())


@subscribe_batch(PickFellShort)
def open_cases_of_short_picks(events: Sequence[PickFellShort]) -> None:
    refresh(
        type="inventory.short_pick",
        subject_ids=[event.shipment_line_id for event in events],
        now=timezone.now(),
    )


@subscribe_batch(TransferFellShort)
def open_cases_of_short_transfers(events: Sequence[TransferFellShort]) -> None:
    look_at_transfers([event.transfer_id for event in events])


@subscribe_batch(TransferSettled)
def clear_cases_of_settled_transfers(events: Sequence[TransferSettled]) -> None:
    look_at_transfers([event.transfer_id for event in events])


def look_at_transfers(transfer_ids: Sequence[int]) -> None:
    """Hold the cases about short transfers against the world."""
    refresh(type="inventory.transfer_short", subject_ids=transfer_ids, now=timezone.now())


@subscribe_batch(ShipmentShipped)
def clear_cases_of_late_shipments(events: Sequence[ShipmentShipped]) -> None:
    clear(
        type="inventory.shipment_overdue",
        subject_ids=[event.shipment_id for event in events],
        now=timezone.now(),
    )


@subscribe_batch(ShipmentFailed)
def open_cases_of_failed_shipments(events: Sequence[ShipmentFailed]) -> None:
    refresh_arrivals([event.shipment_id for event in events])


@subscribe_batch(ShipmentDelivered)
def clear_cases_of_delivered_shipments(events: Sequence[ShipmentDelivered]) -> None:
    refresh_arrivals([event.shipment_id for event in events])


def refresh_arrivals(shipment_ids: Sequence[int]) -> None:
    """Hold the cases about shipments that left against the world."""
    now = timezone.now()
    for code in ("inventory.shipment_failed", "inventory.delivery_overdue"):
        refresh(type=code, subject_ids=shipment_ids, now=now)


@subscribe_batch(ShipmentRerouted)
def look_again_at_rerouted_shipments(events: Sequence[ShipmentRerouted]) -> None:
    shipments = [event.shipment_id for event in events]
    refresh_arrivals(shipments)
    refresh(type="inventory.shipment_overdue", subject_ids=shipments, now=timezone.now())


@subscribe_batch(InboundChanged)
def look_again_at_shelves_that_run_empty(events: Sequence[InboundChanged]) -> None:
    keys = [
        (event.entity_id, event.node_id, int(product))
        for event in events
        for product in event.product_ids.split(",")
    ]
    refresh(
        type="inventory.predicted_stockout", subject_ids=rules_of(keys=keys), now=timezone.now()
    )


@subscribe_batch(DutiesChanged)
def look_again_at_duties(events: Sequence[DutiesChanged]) -> None:
    refresh(type="governance.duty_conflict", now=timezone.now())


@subscribe_batch(InvoicePosted)
def clear_cases_of_billed_orders(events: Sequence[InvoicePosted]) -> None:
    clear(
        type="finance.shipped_not_billed",
        order_ids=[event.order_id for event in events],
        now=timezone.now(),
    )


@subscribe_batch(PurchaseOrderApproved)
def clear_cases_of_approved_purchases(events: Sequence[PurchaseOrderApproved]) -> None:
    clear(
        type="procurement.approval_overdue",
        subject_ids=[event.order_id for event in events],
        now=timezone.now(),
    )


@subscribe_batch(PurchaseOrderReceived)
def clear_cases_of_received_purchases(events: Sequence[PurchaseOrderReceived]) -> None:
    purchases, now = [event.order_id for event in events], timezone.now()
    clear(type="procurement.late_supply", subject_ids=purchases, now=now)
    clear(type="procurement.supplier_change", subject_ids=purchases, now=now)
    refresh(type="procurement.short_receipt", subject_ids=purchases, now=now)


@subscribe_batch(DeliveryDied)
def open_cases_of_dead_deliveries(events: Sequence[DeliveryDied]) -> None:
    refresh(
        type="outbox.dead_delivery",
        subject_ids=[event.delivery_id for event in events],
        now=timezone.now(),
    )


@subscribe_batch(PurchaseOrderRescheduled)
def look_again_at_rescheduled_purchases(events: Sequence[PurchaseOrderRescheduled]) -> None:
    refresh_supply([event.order_id for event in events])


@subscribe_batch(PurchaseOrderCancelled)
def look_again_at_cancelled_purchases(events: Sequence[PurchaseOrderCancelled]) -> None:
    refresh_supply([event.order_id for event in events])


def refresh_supply(purchase_ids: Sequence[int]) -> None:
    """Hold the cases about purchase orders against the world, then those of who waits for them."""
    now = timezone.now()
    for code in SUPPLY:
        refresh(type=code, subject_ids=purchase_ids, now=now)
    refresh(type="orders.shortage", subject_ids=lines_behind(purchase_ids=purchase_ids), now=now)


@subscribe_batch(CaseResolved)
def look_again_at_children(events: Sequence[CaseResolved]) -> None:
    reconsider_children(parent_ids=[event.case_id for event in events], now=timezone.now())
