"""What lines that were short do with supply from elsewhere."""

from orders.services.sourcing._ending import let_lines_go, let_orders_go

__all__ = ["let_lines_go", "let_orders_go"]
