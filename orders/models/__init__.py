from orders.models.customer import CreditAccount, Customer, Price, ShipTo
from orders.models.hold import Hold
from orders.models.line import OrderLine
from orders.models.order import Order

__all__ = ["CreditAccount", "Customer", "Hold", "Order", "OrderLine", "Price", "ShipTo"]
