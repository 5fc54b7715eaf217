"""The resources of orders."""

from orders.api.views._customers import CustomerViewSet
from orders.api.views._orders import OrderViewSet
from orders.api.views._prices import PriceViewSet
from orders.api.views._pricing import CustomerGroupViewSet, PriceListViewSet, PromotionViewSet
from orders.api.views._quotes import QuoteViewSet

__all__ = [
    "CustomerGroupViewSet",
    "CustomerViewSet",
    "OrderViewSet",
    "PriceListViewSet",
    "PriceViewSet",
    "PromotionViewSet",
    "QuoteViewSet",
]
