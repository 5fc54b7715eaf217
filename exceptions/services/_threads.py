"""Whose timeline tells what happened to a case."""


def thread(case_id: int, order_id: int | None) -> str:
    """Return the timeline a case belongs to: its order's, or its own."""
    return f"orders.order:{order_id}" if order_id else f"exceptions.case:{case_id}"
