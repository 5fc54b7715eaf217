"""Everything that changes products, stock and shipments."""

from inventory.services._adjusting import Adjusted, StockAdjustment
from inventory.services._allocating import Allocation, Demand, Piece
from inventory.services._packing import Pack
from inventory.services._picking import Pick, PickedShort, PickOutcome, ShortPick
from inventory.services._planning import PlannedShipment, ShipmentSource
from inventory.services._receiving import IncomingLine, ReceivedGoods, ReceivedLine
from inventory.services._shipping import ShippedLine

__all__ = [
    "Adjusted",
    "Allocation",
    "Demand",
    "IncomingLine",
    "Pack",
    "Pick",
    "PickOutcome",
    "PickedShort",
    "Piece",
    "PlannedShipment",
    "ReceivedGoods",
    "ReceivedLine",
    "ShipmentSource",
    "ShippedLine",
    "ShortPick",
    "StockAdjustment",
]
