"""What kinds of trouble there are, and which types tell of each, or what they wait for."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trouble:
    """One kind of trouble. `types` tell of it; where none does, `waits_for` says what has to come.

    `said` adds what a reader would ask: how several kinds share one type, or what is left out.
    """

    name: str
    types: Sequence[str] = ()
    waits_for: str = ""
    said: str = ""


FIRST_SET: Sequence[Trouble] = (
    Trouble("Shortage", ["orders.shortage"]),
    Trouble("Late supply", ["procurement.late_supply"]),
    Trouble("Supplier change", ["procurement.supplier_change"], said="A day that moved later."),
    Trouble("Credit hold", ["orders.credit_hold"]),
    Trouble("Price variance", ["orders.price_hold"]),
    Trouble("Margin floor", ["orders.margin_hold"]),
    Trouble(
        "Export restriction", ["orders.compliance_hold", "orders.law_found_too_late"],
        said="One hold of compliance; its reason names the licence or the rule.",
    ),
    Trouble(
        "Denied-party match", ["orders.compliance_hold", "orders.law_found_too_late"],
        said="One hold of compliance; its reason names the match.",
    ),
    Trouble("Duplicate order", ["orders.duplicate_hold"]),
    Trouble("Promise at risk", ["orders.promise_at_risk", "orders.promise_hold"]),
    Trouble("Short pick", ["inventory.short_pick"]),
    Trouble(
        "Over, short or damaged receipt",
        ["procurement.short_receipt", "inventory.goods_damaged", "inventory.transfer_short"],
        said="More than was ordered is refused at the dock, so nobody has to be asked.",
    ),
    Trouble(
        "Shipment delayed, failed, refused or lost",
        ["inventory.shipment_overdue", "inventory.delivery_overdue", "inventory.shipment_failed"],
        said="Refused and lost are reasons of a failed shipment.",
    ),
    Trouble("Return unauthorised or overdue", waits_for="returns"),
    Trouble("Invoice mismatch (3-way)", waits_for="supplier bills"),
    Trouble("Dispute", waits_for="disputes"),
    Trouble(
        "Shipped, not billed", ["finance.shipped_not_billed"],
    ),
    Trouble("Received, not billed", waits_for="supplier bills"),
    Trouble("Inventory drift", ["inventory.drift"]),
    Trouble(
        "Partner message rejected", ["partners.file_rejected", "outbox.dead_delivery"],
        said="Files; messages of EDI partners come with EDI.",
    ),
    Trouble("Conflict of duties", ["governance.duty_conflict"]),
    Trouble("Price or margin anomaly", ["orders.price_anomaly", "orders.margin_hold"]),
    Trouble("Predicted stockout", ["inventory.predicted_stockout"]),
    Trouble("Aged backlog", ["orders.aged_backlog"]),
    Trouble("Period-close blocker", ["finance.period_blocker"]),
    Trouble(
        "Order incomplete, or stopped by hand",
        ["orders.completeness_hold", "orders.manual_hold"],
    ),
    Trouble("Approval overdue", ["procurement.approval_overdue"]),
    Trouble("Lot expiring", ["inventory.lot_expiring"]),
)  # fmt: skip
