from orders.models.customer import CreditAccount, Customer, Price, ShipTo
from orders.models.order import Hold, Order, OrderLine

__all__ = ["CreditAccount", "Customer", "Hold", "Order", "OrderLine", "Price", "ShipTo"]
