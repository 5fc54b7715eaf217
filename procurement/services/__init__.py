"""Everything that changes what is bought, and from whom."""

from procurement.services._accepting import (
    BadProposal,
    ProposalClosed,
    WrittenOrder,
    accept_proposals,
    reject_proposal,
)
from procurement.services._approving import (
    approve_order,
    follow_approval,
    reject_order,
    submit_order,
)
from procurement.services._ending import (
    BadReduction,
    cancel_order,
    close_order,
    reduce_order,
)
from procurement.services._following import (
    BadReceipt,
    NotIncoming,
    ReceivedOrder,
    ReceivedOrderLine,
    UnknownLine,
    acknowledge_order,
    record_received,
    reschedule_order,
    send_order,
)
from procurement.services._mastering import (
    OfferRow,
    RuleRow,
    SupplierRow,
    upsert_offers,
    upsert_rules,
    upsert_suppliers,
)
from procurement.services._ordering import BadOrder, NotDraft, PurchaseLine, write_order
from procurement.services._replenishing import Waiting, note_served, note_waiting, replenish

__all__ = [
    "BadOrder",
    "BadProposal",
    "BadReceipt",
    "BadReduction",
    "NotDraft",
    "NotIncoming",
    "OfferRow",
    "ProposalClosed",
    "PurchaseLine",
    "ReceivedOrder",
    "ReceivedOrderLine",
    "RuleRow",
    "SupplierRow",
    "UnknownLine",
    "Waiting",
    "WrittenOrder",
    "accept_proposals",
    "acknowledge_order",
    "approve_order",
    "cancel_order",
    "close_order",
    "follow_approval",
    "note_served",
    "note_waiting",
    "record_received",
    "reduce_order",
    "reject_order",
    "reject_proposal",
    "replenish",
    "reschedule_order",
    "send_order",
    "submit_order",
    "upsert_offers",
    "upsert_rules",
    "upsert_suppliers",
    "write_order",
]
