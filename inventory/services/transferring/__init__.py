"""Everything that changes transfers. Sending and receiving post: call finance for those."""

from inventory.services.transferring._agreeing import (
    CancelReasonMissing,
    approve_transfer,
    cancel_transfer,
    follow_transfer_approval,
)
from inventory.services.transferring._picking import (
    BadTransferPick,
    TransferPick,
    TransferShort,
    pick_transfers,
)
from inventory.services.transferring._receiving import (
    ArrivedGoods,
    BadTransferReceipt,
    Came,
    receive_transfer,
)
from inventory.services.transferring._requesting import (
    BadTransfer,
    TransferDraft,
    request_transfers,
)
from inventory.services.transferring._sending import SentGoods, Terms, send_transfers

__all__ = [
    "ArrivedGoods",
    "BadTransfer",
    "BadTransferPick",
    "BadTransferReceipt",
    "Came",
    "CancelReasonMissing",
    "SentGoods",
    "Terms",
    "TransferDraft",
    "TransferPick",
    "TransferShort",
    "approve_transfer",
    "cancel_transfer",
    "follow_transfer_approval",
    "pick_transfers",
    "receive_transfer",
    "request_transfers",
    "send_transfers",
]
