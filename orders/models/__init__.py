from orders.models.blanket import Blanket, BlanketLine, CallOff
from orders.models.customer import CreditAccount, Customer, ShipTo
from orders.models.finding import OrderClass, SourcingPlan
from orders.models.hold import Hold
from orders.models.kit import Kit, KitComponent, KitLine
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
from orders.models.quote import Quote, QuoteLine

__all__ = [
    "Blanket",
    "BlanketLine",
    "CallOff",
    "CreditAccount",
    "Customer",
    "CustomerGroup",
    "CustomerProduct",
    "Hold",
    "Kit",
    "KitComponent",
    "KitLine",
    "ListHolder",
    "Order",
    "OrderClass",
    "OrderLine",
    "Price",
    "PriceList",
    "Promotion",
    "Quote",
    "QuoteLine",
    "ShipTo",
    "SourcingPlan",
]
