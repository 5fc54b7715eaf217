"""What orders do when something happened."""

from collections.abc import Sequence
from datetime import datetime

from django.core.mail import send_mail
from django.utils import timezone

from erp.accounts.models import User
from erp.governance.documents import (
    DocumentKind,
    SubjectKind,
    register_document,
    register_subject,
)
from erp.governance.erasers import PersonKind, register_person
from erp.governance.events import ApprovalDecided
from erp.outbox.registry import subscribe, subscribe_batch
from inventory.events import (
    CalendarChanged,
    InboundChanged,
    ReservationsExpired,
    ShipmentDelivered,
    ShipmentFailed,
    ShipmentPacked,
    ShipmentPicked,
    ShipmentShipped,
    StockReceived,
    SupplyAsked,
)
from inventory.selectors import (
    DirectDemand,
    FollowerKind,
    register_demand,
    register_direct,
    register_followers,
)
from orders.events import (
    DirectSupplyEnded,
    LicenceFreed,
    LineCovered,
    MilestoneReached,
    OrderAllocated,
    OrderAmended,
    OrderCancelled,
    OrderHeld,
    OrderReleased,
    RestrictionChanged,
    RestUnwanted,
)
from orders.models import CreditAccount, Customer, Milestone
from orders.selectors import (
    ORDER_LINES,
    SET_ASIDES,
    letter_of,
    order_numbers,
    reallocation_fingerprints,
)
from orders.services import allocate_orders, allocate_waiting, cancel_rests
from orders.services._erasing import empty_customer, find_customer
from orders.services.complying import clear_waiting, stop_restricted
from orders.services.dropping import addressees, hold_direct, promise_direct
from orders.services.promising import (
    promise_by_calendar,
    promise_orders,
    promise_products,
    set_customer_calendar,
)
from orders.services.reallocating import follow_reallocation_approval
from orders.services.reserving import KIND as SET_ASIDE
from orders.services.reserving import note_lapsed
from orders.services.sourcing import let_lines_go, let_orders_go
from orders.services.substituting import withdraw_substitutions
from orders.services.telling import Reached, mark_told, note_milestones, note_shipments

REALLOCATION = "orders.reallocation"
register_demand(ORDER_LINES)
register_demand(SET_ASIDES)
register_direct(
    DirectDemand(kind=ORDER_LINES.kind, lock=addressees, hold=hold_direct, promise=promise_direct)
)
register_followers(
    FollowerKind(
        "customers",
        lambda entity_ids: Customer.objects.filter(
            pk__in=CreditAccount.objects.filter(entity_id__in=entity_ids).values("customer_id")
        ),
        set_customer_calendar,
        page="orders:customer",
    )
)
register_subject("orders.order", SubjectKind(order_numbers, page="orders:order"))
register_document(
    REALLOCATION,
    DocumentKind(reallocation_fingerprints, "Re-allocation", page="orders:reallocation"),
)
register_person("orders.customer", PersonKind(find=find_customer, erase=empty_customer))


@subscribe_batch(OrderReleased)
def allocate_released_orders(events: Sequence[OrderReleased]) -> None:
    """Have stock kept for what was just released, the most urgent first."""
    ids = {event.order_id for event in events}
    allocate_orders(order_ids=ids, cause="Released", now=timezone.now(), again=False)


@subscribe_batch(DirectSupplyEnded)
def allocate_what_no_supplier_sends(events: Sequence[DirectSupplyEnded]) -> None:
    """Have stock kept for what a supplier sends straight to the customer no more."""
    ids = {event.order_id for event in events}
    allocate_orders(order_ids=ids, cause="The supplier does not send it", now=timezone.now())


@subscribe_batch(LineCovered)
def ask_no_more_for_covered_lines(events: Sequence[LineCovered]) -> None:
    """Ask customers no more about something else for lines that have what they want."""
    withdraw_substitutions(line_ids={event.line_id for event in events}, now=timezone.now())


@subscribe_batch(LineCovered)
def give_up_supply_of_covered_lines(events: Sequence[LineCovered]) -> None:
    """Give up what is to come from elsewhere for lines that wait no more."""
    ids = {event.line_id for event in events}
    let_lines_go(line_ids=ids, why="The line waits no more", now=timezone.now())


@subscribe_batch(OrderCancelled)
def give_up_supply_of_cancelled_orders(events: Sequence[OrderCancelled]) -> None:
    """Give up what is to come from elsewhere for orders that are cancelled."""
    ids = {event.order_id for event in events}
    let_orders_go(order_ids=ids, why="The order was cancelled", now=timezone.now())


@subscribe_batch(SupplyAsked)
def promise_by_what_was_asked_for(events: Sequence[SupplyAsked]) -> None:
    """Promise anew what waits for goods that were just asked for."""
    causes: dict[int, dict[int, str]] = {}
    for event in events:
        if event.demand_kind == ORDER_LINES.kind:
            said = f"{event.label} was asked for"
            causes.setdefault(event.entity_id, {})[event.product_id] = said
    for entity_id, products in sorted(causes.items()):
        promise_products(entity_id=entity_id, causes=products, now=timezone.now())


@subscribe_batch(StockReceived)
def fill_backorders(events: Sequence[StockReceived]) -> None:
    """Have what came in kept for the lines that wait for it."""
    products: dict[int, set[int]] = {}
    for event in events:
        products.setdefault(event.entity_id, set()).add(event.product_id)
    for entity_id, ids in sorted(products.items()):
        allocate_waiting(
            entity_id=entity_id, product_ids=ids, cause="Stock came in", now=timezone.now()
        )


@subscribe_batch(RestUnwanted)
def cancel_unwanted_rests(events: Sequence[RestUnwanted]) -> None:
    """Cancel what allocation could not give where the customer does not wait for it."""
    cancel_rests(line_ids={event.line_id for event in events}, now=timezone.now())


@subscribe_batch(OrderReleased)
def tell_of_release(events: Sequence[OrderReleased]) -> None:
    """Tell who follows the orders that they were received, and released."""
    kinds = (Milestone.RECEIVED, Milestone.RELEASED)
    reached = [Reached(event.order_id, kind) for event in events for kind in kinds]
    note_milestones(reached=reached, now=timezone.now())


@subscribe_batch(OrderHeld)
def tell_of_receipt(events: Sequence[OrderHeld]) -> None:
    """Tell who follows the orders that they were received; why they wait is ours to know."""
    reached = [Reached(event.order_id, Milestone.RECEIVED) for event in events]
    note_milestones(reached=reached, now=timezone.now())


@subscribe_batch(OrderAllocated)
def tell_of_allocation(events: Sequence[OrderAllocated]) -> None:
    """Tell who follows the orders that stock is kept for them, or that they are delayed."""
    reached = [Reached(event.order_id, Milestone.ALLOCATED) for event in events]
    note_milestones(reached=reached, now=timezone.now())


@subscribe_batch(ShipmentPicked)
def tell_of_picking(events: Sequence[ShipmentPicked]) -> None:
    """Tell who follows the orders that goods are picked."""
    _tell(Milestone.PICKED, events)


@subscribe_batch(ShipmentPacked)
def tell_of_packing(events: Sequence[ShipmentPacked]) -> None:
    """Tell who follows the orders that goods are packed."""
    _tell(Milestone.PACKED, events)


@subscribe_batch(ShipmentShipped)
def tell_of_leaving(events: Sequence[ShipmentShipped]) -> None:
    """Tell who follows the orders that goods have left."""
    _tell(Milestone.SHIPPED, events)


@subscribe_batch(ShipmentDelivered)
def tell_of_delivery(events: Sequence[ShipmentDelivered]) -> None:
    """Tell who follows the orders that goods have arrived."""
    _tell(Milestone.DELIVERED, events)


@subscribe(ShipmentFailed)
def tell_of_failure(event: ShipmentFailed) -> None:
    """Tell who follows the order that goods did not arrive, and why."""
    note_shipments(
        kind=Milestone.DELAYED,
        shipment_ids=[event.shipment_id],
        reason=event.reason,
        now=timezone.now(),
    )


@subscribe(MilestoneReached)
def mail_milestone(event: MilestoneReached) -> None:
    """Send one notice by e-mail; what fails is tried again like any delivery."""
    letter = letter_of(notice_id=event.notice_id) if event.channel == "email" else None
    if letter is not None:
        send_mail(letter.title, letter.text, None, [letter.address])
        mark_told(notice_id=event.notice_id, now=timezone.now())


def _tell(
    kind: Milestone,
    events: Sequence[ShipmentPicked | ShipmentPacked | ShipmentShipped | ShipmentDelivered],
) -> None:
    ids = {event.shipment_id for event in events}
    note_shipments(kind=kind, shipment_ids=ids, now=timezone.now())


@subscribe_batch(LicenceFreed)
def ask_again_who_waits_for_a_licence(events: Sequence[LicenceFreed]) -> None:
    """Let orders take what another one gave up of a licence, the most urgent first."""
    for entity_id in sorted({event.entity_id for event in events}):
        clear_waiting(
            entity_id=entity_id, customer_id=None, cause="A licence came back", now=timezone.now()
        )


@subscribe(RestrictionChanged)
def stop_what_is_restricted(event: RestrictionChanged) -> None:
    """Stop what was let go before a restriction, a batch at a time."""
    stop_restricted(
        restriction_id=event.restriction_id,
        since=datetime.fromisoformat(event.at),
        after_id=event.after_id,
        now=timezone.now(),
    )


@subscribe_batch(InboundChanged)
def promise_by_what_comes(events: Sequence[InboundChanged]) -> None:
    """Promise anew what waits for goods that come on another day, or no more."""
    causes: dict[int, dict[int, str]] = {}
    for event in events:
        for product in event.product_ids.split(","):
            causes.setdefault(event.entity_id, {})[int(product)] = event.cause
    for entity_id, products in sorted(causes.items()):
        promise_products(entity_id=entity_id, causes=products, now=timezone.now())


@subscribe(CalendarChanged)
def promise_by_other_days(event: CalendarChanged) -> None:
    """Promise anew what leaves, is carried or is taken in on other days now."""
    named = [part.partition(":") for part in event.followers.split(";") if part]
    promise_by_calendar(
        calendar_id=event.calendar_id,
        followers={kind: codes.split(",") for kind, _colon, codes in named},
        cause=event.cause,
        now=timezone.now(),
    )


@subscribe(ReservationsExpired)
def note_what_lapsed(event: ReservationsExpired) -> None:
    """Note that what was set aside for customers was given back by the clock."""
    if event.demand_kind == SET_ASIDE:
        ids = [int(each) for each in event.demand_ids.split(",")]
        note_lapsed(set_aside_ids=ids, now=timezone.now())


@subscribe_batch(OrderAllocated)
def promise_what_still_waits(events: Sequence[OrderAllocated]) -> None:
    """Promise what allocation could not give, by what is on its way."""
    ids = {event.order_id for event in events}
    promise_orders(order_ids=ids, cause="Allocation", now=timezone.now())


@subscribe_batch(OrderCancelled)
def promise_what_is_free_again(events: Sequence[OrderCancelled]) -> None:
    """Let those who wait move up after an order was cancelled."""
    ids = {event.order_id for event in events}
    promise_orders(order_ids=ids, cause="Another order was cancelled", now=timezone.now())


@subscribe_batch(OrderAmended)
def promise_what_was_amended(events: Sequence[OrderAmended]) -> None:
    """Promise anew what waits for the products of an order that was changed."""
    ids = {event.order_id for event in events}
    promise_orders(order_ids=ids, cause="The order was changed", now=timezone.now())


@subscribe(ApprovalDecided)
def follow_decision_about_reallocation(event: ApprovalDecided) -> None:
    """Do a re-allocation or an override, or let it go, as was decided in the inbox."""
    if event.document_kind != REALLOCATION or event.cause == "withdrawn":
        return
    follow_reallocation_approval(
        reallocation_id=event.document_id,
        state=event.state,
        decided_by=User.objects.filter(pk=event.decided_by_id).first(),
        reason=event.reason,
        now=timezone.now(),
    )
