"""Everything that changes corrections of stock. Posting touches the ledger: call finance."""

from inventory.services.correcting._closing import close_correction
from inventory.services.correcting._requesting import (
    BadCorrection,
    CorrectionDraft,
    CorrectionLineDraft,
    OwnRelease,
    request_correction,
)
from inventory.services.correcting._reviewing import (
    CorrectionReasonMissing,
    approve_correction,
    cancel_correction,
    follow_correction_approval,
)

__all__ = [
    "BadCorrection",
    "CorrectionDraft",
    "CorrectionLineDraft",
    "CorrectionReasonMissing",
    "OwnRelease",
    "approve_correction",
    "cancel_correction",
    "close_correction",
    "follow_correction_approval",
    "request_correction",
]
