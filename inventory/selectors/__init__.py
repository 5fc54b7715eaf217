"""Everything that is read of products, stock and the allocation layer."""

from inventory.selectors._allocation import (
    CandidateRow,
    DecisionRow,
    RunPage,
    RunRow,
    decisions_of_product,
    receipts_of_demand,
    run_page,
    runs,
)
from inventory.selectors._invariants import INVARIANTS
from inventory.selectors._options import Option, Wanted, options
from inventory.selectors._products import (
    ProductHit,
    ProductPage,
    ProductRow,
    UomRow,
    product_page,
    product_search,
    products,
    uoms_of,
)
from inventory.selectors._shipments import ShipmentOfSource, shipments_of
from inventory.selectors._stock import (
    MoveRow,
    NodeStock,
    ReservationRow,
    StockRow,
    availability,
    moves_of,
    nodes_with_stock,
    other_nodes,
    reservations_of,
    stock_rows,
)

__all__ = [
    "INVARIANTS",
    "CandidateRow",
    "DecisionRow",
    "MoveRow",
    "NodeStock",
    "Option",
    "ProductHit",
    "ProductPage",
    "ProductRow",
    "ReservationRow",
    "RunPage",
    "RunRow",
    "ShipmentOfSource",
    "StockRow",
    "UomRow",
    "Wanted",
    "availability",
    "decisions_of_product",
    "moves_of",
    "nodes_with_stock",
    "options",
    "other_nodes",
    "product_page",
    "product_search",
    "products",
    "receipts_of_demand",
    "reservations_of",
    "run_page",
    "runs",
    "shipments_of",
    "stock_rows",
    "uoms_of",
]
