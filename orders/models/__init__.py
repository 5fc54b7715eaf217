from orders.models.customer import CreditAccount, Customer, ShipTo
from orders.models.finding import OrderClass, SourcingPlan
from orders.models.hold import Hold
from orders.models.line import OrderLine
from orders.models.order import Order
from orders.models.price import (
    CustomerGroup,
    CustomerProduct,
    ListHolder,
    Price,
    PriceList,
    Promotion,
)

__all__ = [
    "CreditAccount",
    "Customer",
    "CustomerGroup",
    "CustomerProduct",
    "Hold",
    "ListHolder",
    "Order",
    "OrderClass",
    "OrderLine",
    "Price",
    "PriceList",
    "Promotion",
    "ShipTo",
    "SourcingPlan",
]
