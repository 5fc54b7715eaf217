"""What customers and orders insist on: few nodes, some places, fresh lots, nothing else."""

from orders.services.insisting._keeping import insist_customer, insist_line, insist_order

__all__ = ["insist_customer", "insist_line", "insist_order"]
