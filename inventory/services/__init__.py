"""Everything that changes products, stock and shipments."""

from inventory.services._adjusting import (
    Adjusted,
    BadAdjustment,
    NotThatMuch,
    StockAdjustment,
    adjust_stock,
)
from inventory.services._allocating import Allocation, Demand, Piece, allocate
from inventory.services._delivering import deliver_shipments, fail_shipment, void_shipment
from inventory.services._drafting import CarrierDraft, NodeDraft, ProductDraft, UomDraft
from inventory.services._expecting import ExpectedGoods, expect_goods
from inventory.services._keeping import (
    BadMasterData,
    save_carrier,
    save_node,
    save_product,
    upsert_carriers,
    upsert_nodes,
    upsert_products,
)
from inventory.services._packing import BadCarton, Pack, pack_shipments
from inventory.services._picking import (
    BadPick,
    Pick,
    PickedShort,
    PickOutcome,
    ShortPick,
    pick_shipments,
)
from inventory.services._planning import PlannedShipment, ShipmentSource, plan_shipments
from inventory.services._posting import LotNeeded
from inventory.services._receiving import (
    IncomingLine,
    NothingReceived,
    ReceivedGoods,
    ReceivedLine,
    receive_stock,
)
from inventory.services._rehearsing import Basket, Served, Wish, rehearse_allocation
from inventory.services._releasing import release_reservations
from inventory.services._shipping import LotStopped, ShippedLine, ship_shipments
from inventory.services._standing import ShipmentNotReady

__all__ = [
    "Adjusted",
    "Allocation",
    "BadAdjustment",
    "BadCarton",
    "BadMasterData",
    "BadPick",
    "Basket",
    "CarrierDraft",
    "Demand",
    "ExpectedGoods",
    "IncomingLine",
    "LotNeeded",
    "LotStopped",
    "NodeDraft",
    "NotThatMuch",
    "NothingReceived",
    "Pack",
    "Pick",
    "PickOutcome",
    "PickedShort",
    "Piece",
    "PlannedShipment",
    "ProductDraft",
    "ReceivedGoods",
    "ReceivedLine",
    "Served",
    "ShipmentNotReady",
    "ShipmentSource",
    "ShippedLine",
    "ShortPick",
    "StockAdjustment",
    "UomDraft",
    "Wish",
    "adjust_stock",
    "allocate",
    "deliver_shipments",
    "expect_goods",
    "fail_shipment",
    "pack_shipments",
    "pick_shipments",
    "plan_shipments",
    "receive_stock",
    "rehearse_allocation",
    "release_reservations",
    "save_carrier",
    "save_node",
    "save_product",
    "ship_shipments",
    "upsert_carriers",
    "upsert_nodes",
    "upsert_products",
    "void_shipment",
]
