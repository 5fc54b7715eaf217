"""Everything that changes cycle counts. Posting touches the ledger: call finance for that."""

from inventory.services.counting._binning import BadCount, Counted
from inventory.services.counting._closing import close_count
from inventory.services.counting._doubting import count_what_was_missed
from inventory.services.counting._planning import NothingToCount, plan_count
from inventory.services.counting._recording import add_to_count, record_counts
from inventory.services.counting._reviewing import (
    CountReasonMissing,
    CountUnfinished,
    approve_count,
    cancel_count,
    follow_count_approval,
    submit_count,
)

__all__ = [
    "BadCount",
    "CountReasonMissing",
    "CountUnfinished",
    "Counted",
    "NothingToCount",
    "add_to_count",
    "approve_count",
    "cancel_count",
    "close_count",
    "count_what_was_missed",
    "follow_count_approval",
    "plan_count",
    "record_counts",
    "submit_count",
]
