"""Stock that is kept for segments of demand: their tree, and their shares by period."""

from inventory.services.protecting._keeping import (
    ProtectionDraft,
    SegmentDraft,
    end_protection,
    save_protection,
    save_segment,
)

__all__ = [
    "ProtectionDraft",
    "SegmentDraft",
    "end_protection",
    "save_protection",
    "save_segment",
]
