"""The resources of orders."""

from orders.api.views._customers import CustomerViewSet
from orders.api.views._orders import OrderViewSet
from orders.api.views._prices import PriceViewSet

__all__ = ["CustomerViewSet", "OrderViewSet", "PriceViewSet"]
