"""The resources of orders."""

from orders.api.views._blankets import BlanketViewSet
from orders.api.views._commitments import CommitmentViewSet
from orders.api.views._compliance import (
    CertificateViewSet,
    DeniedPartyViewSet,
    ExceptionViewSet,
    LicenceViewSet,
    PartyMatchViewSet,
    RestrictionViewSet,
)
from orders.api.views._customers import CustomerViewSet
from orders.api.views._following import SubscriptionViewSet
from orders.api.views._kits import KitViewSet
from orders.api.views._orders import OrderViewSet
from orders.api.views._prices import PriceViewSet
from orders.api.views._pricing import CustomerGroupViewSet, PriceListViewSet, PromotionViewSet
from orders.api.views._protection import ProtectionViewSet, SegmentViewSet
from orders.api.views._quotes import QuoteViewSet
from orders.api.views._reallocations import AllocationRunViewSet, OverrideViewSet
from orders.api.views._setasides import SetAsideViewSet
from orders.api.views._substitutions import SubstitutionViewSet

__all__ = [
    "AllocationRunViewSet",
    "BlanketViewSet",
    "CertificateViewSet",
    "CommitmentViewSet",
    "CustomerGroupViewSet",
    "CustomerViewSet",
    "DeniedPartyViewSet",
    "ExceptionViewSet",
    "KitViewSet",
    "LicenceViewSet",
    "OrderViewSet",
    "OverrideViewSet",
    "PartyMatchViewSet",
    "PriceListViewSet",
    "PriceViewSet",
    "PromotionViewSet",
    "ProtectionViewSet",
    "QuoteViewSet",
    "RestrictionViewSet",
    "SegmentViewSet",
    "SetAsideViewSet",
    "SubscriptionViewSet",
    "SubstitutionViewSet",
]
