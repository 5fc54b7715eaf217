"""What pages, the API and other apps read about orders and customers."""

from orders.selectors._board import (
    STAGES,
    BoardFilters,
    BoardPage,
    BoardRow,
    BoardTotals,
    board_totals,
    order_board,
)
from orders.selectors._customers import (
    AccountRow,
    CustomerHit,
    CustomerPage,
    CustomerRow,
    ShipToRow,
    customer_list,
    customer_page,
    customer_search,
)
from orders.selectors._entry import ProductHit, Quoted, price_for, product_ids, product_search
from orders.selectors._exposure import Exposure, exposure
from orders.selectors._figures import (
    BacklogRow,
    RunRow,
    Stage,
    WaitingLine,
    backlog,
    last_runs,
    stages,
    waiting_lines,
)
from orders.selectors._invariants import INVARIANTS
from orders.selectors._page import HoldRow, LineRow, OrderPage, Receipt, order_page, receipts_of

__all__ = [
    "INVARIANTS",
    "STAGES",
    "AccountRow",
    "BacklogRow",
    "BoardFilters",
    "BoardPage",
    "BoardRow",
    "BoardTotals",
    "CustomerHit",
    "CustomerPage",
    "CustomerRow",
    "Exposure",
    "HoldRow",
    "LineRow",
    "OrderPage",
    "ProductHit",
    "Quoted",
    "Receipt",
    "RunRow",
    "ShipToRow",
    "Stage",
    "WaitingLine",
    "backlog",
    "board_totals",
    "customer_list",
    "customer_page",
    "customer_search",
    "exposure",
    "last_runs",
    "order_board",
    "order_page",
    "price_for",
    "product_ids",
    "product_search",
    "receipts_of",
    "stages",
    "waiting_lines",
]
