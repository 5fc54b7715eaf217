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
from finance.forms._serials import refused_at_its_field

__all__ = [
    "REASONS",
    "AllocationForm",
    "PackForm",
    "PaymentForm",
    "PickForm",
    "QuantityField",
    "ReceiveForm",
    "refused_at_its_field",
]
