from inventory.models.allocation import AllocationDecision, AllocationRun
from inventory.models.bin import Bin, BinMove, BinStock
from inventory.models.calendar import Calendar, CalendarDay
from inventory.models.correction import Correction, CorrectionLine
from inventory.models.costing import CostLayer, LateCost, LayerIssue
from inventory.models.count import Count, CountBin, CountLine
from inventory.models.lot import Lot
from inventory.models.node import Carrier, Node
from inventory.models.product import Inbound, Product, ProductUom, Substitute
from inventory.models.promise import Peg, SupplierPace
from inventory.models.protection import Protection, Segment, SegmentDemand
from inventory.models.receipt import Receipt, ReceiptLine
from inventory.models.serial import Serial, SerialMove
from inventory.models.shipment import Carton, Shipment, ShipmentLine
from inventory.models.sourcing import Sourcing, SourcingDecision
from inventory.models.stock import (
    Adjustment,
    ProductCost,
    Reservation,
    Stock,
    StockMove,
    StockStatus,
)
from inventory.models.transfer import (
    Lane,
    Transfer,
    TransferLine,
    TransferPiece,
    TransferReceipt,
    TransferReceiptLine,
)

__all__ = [
    "Adjustment",
    "AllocationDecision",
    "AllocationRun",
    "Bin",
    "BinMove",
    "BinStock",
    "Calendar",
    "CalendarDay",
    "Carrier",
    "Carton",
    "Correction",
    "CorrectionLine",
    "CostLayer",
    "Count",
    "CountBin",
    "CountLine",
    "Inbound",
    "Lane",
    "LateCost",
    "LayerIssue",
    "Lot",
    "Node",
    "Peg",
    "Product",
    "ProductCost",
    "ProductUom",
    "Protection",
    "Receipt",
    "ReceiptLine",
    "Reservation",
    "Segment",
    "SegmentDemand",
    "Serial",
    "SerialMove",
    "Shipment",
    "ShipmentLine",
    "Sourcing",
    "SourcingDecision",
    "Stock",
    "StockMove",
    "StockStatus",
    "Substitute",
    "SupplierPace",
    "Transfer",
    "TransferLine",
    "TransferPiece",
    "TransferReceipt",
    "TransferReceiptLine",
]
