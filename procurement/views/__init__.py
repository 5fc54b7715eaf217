"""The pages of purchasing."""

from procurement.views._orders import (
    acknowledge,
    approve,
    cancel,
    close,
    edit,
    new,
    order,
    orders,
    reject,
    send,
    submit,
)
from procurement.views._pegging import impact
from procurement.views._proposals import accept_many, accept_one, board, reject_one
from procurement.views._suppliers import supplier, suppliers

__all__ = [
    "accept_many",
    "accept_one",
    "acknowledge",
    "approve",
    "board",
    "cancel",
    "close",
    "edit",
    "impact",
    "new",
    "order",
    "orders",
    "reject",
    "reject_one",
    "send",
    "submit",
    "supplier",
    "suppliers",
]
