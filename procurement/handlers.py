"""What procurement does about facts from below."""

from collections.abc import Sequence

from django.utils import timezone

from erp.accounts.models import User
from erp.governance.documents import DocumentKind, register_document
from erp.governance.events import ApprovalDecided
from erp.governance.selectors import approval
from erp.outbox.registry import subscribe, subscribe_batch
from inventory.events import StockFell, SupplyChosen, SupplyUnwanted
from inventory.selectors import FollowerKind, register_followers, register_offers
from inventory.services.sourcing import end_supply
from procurement.events import PurchaseOrderCancelled, PurchaseOrderReceived
from procurement.models import Supplier
from procurement.selectors import EVERY_OFFER, OFFERS, order_fingerprints
from procurement.services import follow_approval, replenish
from procurement.services._approving import KIND
from procurement.services.pacing import measure_paces, set_supplier_calendar
from procurement.services.sourcing import buy_for_demand, call_off_purchase

register_offers(OFFERS, EVERY_OFFER)
register_followers(
    FollowerKind(
        "suppliers",
        lambda _entity_ids: Supplier.objects.all(),
        set_supplier_calendar,
        page="procurement:supplier",
    )
)

register_document(
    KIND, DocumentKind(order_fingerprints, "Purchase order", page="procurement:order")
)


@subscribe_batch(StockFell)
def replenish_what_fell(events: Sequence[StockFell]) -> None:
    """Propose to buy what has fallen to its reorder point."""
    keys = {
        (event.entity_id, event.node_id, int(product))
        for event in events
        for product in event.product_ids.split(",")
        if product
    }
    replenish(keys=keys, now=timezone.now(), cause="stock fell")


@subscribe(ApprovalDecided)
def follow_decision_about_order(event: ApprovalDecided) -> None:
    """Approve a purchase order, or send it back, as was decided in the inbox, or by the clock."""
    if event.document_kind != KIND or event.cause == "withdrawn":
        return
    decided = approval(event.approval_id)
    follow_approval(
        order_id=event.document_id,
        state=event.state,
        decided_by=User.objects.filter(pk=event.decided_by_id).first(),
        fingerprint=decided.fingerprint,
        reason=event.reason,
        now=timezone.now(),
    )


@subscribe_batch(PurchaseOrderReceived)
def measure_how_late_suppliers_come(events: Sequence[PurchaseOrderReceived]) -> None:
    """Pass down how late the suppliers come whose goods just came in."""
    measure_paces(order_ids={event.order_id for event in events}, now=timezone.now())


@subscribe(SupplyChosen)
def buy_what_was_chosen(event: SupplyChosen) -> None:
    """Order what the policy chose to buy for a line that is short."""
    if event.mode in {"buy", "drop_ship"}:
        buy_for_demand(sourcing_id=event.sourcing_id, now=timezone.now())


@subscribe(SupplyUnwanted)
def call_off_unwanted_purchase(event: SupplyUnwanted) -> None:
    """Cancel a purchase that nobody waits for any more."""
    if event.document_kind == KIND:
        call_off_purchase(order_id=event.document_id, now=timezone.now())


@subscribe_batch(PurchaseOrderReceived)
def note_bought_supply_that_came(events: Sequence[PurchaseOrderReceived]) -> None:
    """Note that what was bought for lines that were short has come."""
    ids = {event.order_id for event in events if event.state == "received"}
    end_supply(document_kind=KIND, document_ids=ids, has_come=True, now=timezone.now())


@subscribe(PurchaseOrderCancelled)
def note_bought_supply_called_off(event: PurchaseOrderCancelled) -> None:
    """Note that what was bought for a line that was short will not come."""
    end_supply(
        document_kind=KIND, document_ids=[event.order_id], has_come=False, now=timezone.now()
    )
