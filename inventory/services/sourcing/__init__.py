"""What the shelf cannot give: weighed, proposed, asked for."""

from inventory.services.sourcing._asking import (
    ByHand,
    Document,
    ask_transfer,
    hand_over,
    lock_chosen,
    lock_open,
    note_asked,
    note_asked_by_hand,
)
from inventory.services.sourcing._ending import call_off_transfer, end_supply, let_supply_go
from inventory.services.sourcing._looking import weigh_outside

__all__ = [
    "ByHand",
    "Document",
    "ask_transfer",
    "call_off_transfer",
    "end_supply",
    "hand_over",
    "let_supply_go",
    "lock_chosen",
    "lock_open",
    "note_asked",
    "note_asked_by_hand",
    "weigh_outside",
]
