"""Inventory over REST."""

from inventory.api.views._bins import (
    BinMoveViewSet,
    BinViewSet,
    PutAwayViewSet,
    ReplenishmentViewSet,
)
from inventory.api.views._deciding import AllocationRunViewSet, AvailabilityViewSet
from inventory.api.views._lots import LotViewSet
from inventory.api.views._masters import CarrierViewSet, NodeViewSet, ProductViewSet
from inventory.api.views._promising import CalendarViewSet, LaneViewSet, SubstituteViewSet
from inventory.api.views._serials import SerialViewSet
from inventory.api.views._stock import StockMoveViewSet, StockViewSet

__all__ = [
    "AllocationRunViewSet",
    "AvailabilityViewSet",
    "BinMoveViewSet",
    "BinViewSet",
    "CalendarViewSet",
    "CarrierViewSet",
    "LaneViewSet",
    "LotViewSet",
    "NodeViewSet",
    "ProductViewSet",
    "PutAwayViewSet",
    "ReplenishmentViewSet",
    "SerialViewSet",
    "StockMoveViewSet",
    "StockViewSet",
    "SubstituteViewSet",
]
