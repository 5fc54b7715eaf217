"""What pages, the API and other apps read about purchasing."""

from procurement.selectors._fingerprints import fingerprint_of, order_fingerprints
from procurement.selectors._invariants import INVARIANTS
from procurement.selectors._lists import (
    Choice,
    choices,
    ids_of,
    node_codes,
    offer_list,
    order_list,
    proposal_list,
    suggested_suppliers,
    supplier_list,
)
from procurement.selectors._offering import EVERY_OFFER, OFFERS
from procurement.selectors._orders import (
    Incoming,
    OrderLineRow,
    OrderPage,
    OrderRow,
    incoming,
    open_orders_by_state,
    order_board,
    order_page,
)
from procurement.selectors._proposals import ProposalRow, proposal_board, waiting_count
from procurement.selectors._suppliers import (
    OfferView,
    SupplierRow,
    lead_time_days,
    offers_of,
    supplier_board,
)

__all__ = [
    "EVERY_OFFER",
    "INVARIANTS",
    "OFFERS",
    "Choice",
    "Incoming",
    "OfferView",
    "OrderLineRow",
    "OrderPage",
    "OrderRow",
    "ProposalRow",
    "SupplierRow",
    "choices",
    "fingerprint_of",
    "ids_of",
    "incoming",
    "lead_time_days",
    "node_codes",
    "offer_list",
    "offers_of",
    "open_orders_by_state",
    "order_board",
    "order_fingerprints",
    "order_list",
    "order_page",
    "proposal_board",
    "proposal_list",
    "suggested_suppliers",
    "supplier_board",
    "supplier_list",
    "waiting_count",
]
