"""What people type about the floor and money."""

from finance.forms._floor_and_money import (
    REASONS,
    AllocationForm,
    PackForm,
    PaymentForm,
    PickForm,
    QuantityField,
    ReceiveForm,
)

__all__ = [
    "REASONS",
    "AllocationForm",
    "PackForm",
    "PaymentForm",
    "PickForm",
    "QuantityField",
    "ReceiveForm",
]
