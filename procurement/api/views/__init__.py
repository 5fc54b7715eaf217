"""The resources of procurement. `receive` of a purchase order is finance's."""

from procurement.api.views._orders import OrderViewSet
from procurement.api.views._proposals import ProposalViewSet
from procurement.api.views._suppliers import OfferViewSet, SupplierViewSet

__all__ = ["OfferViewSet", "OrderViewSet", "ProposalViewSet", "SupplierViewSet"]
