"""Everything that changes blanket orders and their call-offs."""

from orders.services.agreeing._calling import (
    CallOffPart,
    NotActive,
    OutsidePeriod,
    call_off,
    drop_call_off,
    make_due_call_offs,
    retry_call_off,
)
from orders.services.agreeing._noticing import NOTICE_DAYS, announce_endings
from orders.services.agreeing._writing import (
    BadAgreement,
    BlanketDraft,
    BlanketLineDraft,
    CallOffDraft,
    activate_blanket,
    end_blanket,
    expire_blankets,
    schedule_call_offs,
    write_blanket,
)

__all__ = [
    "NOTICE_DAYS",
    "BadAgreement",
    "BlanketDraft",
    "BlanketLineDraft",
    "CallOffDraft",
    "CallOffPart",
    "NotActive",
    "OutsidePeriod",
    "activate_blanket",
    "announce_endings",
    "call_off",
    "drop_call_off",
    "end_blanket",
    "expire_blankets",
    "make_due_call_offs",
    "retry_call_off",
    "schedule_call_offs",
    "write_blanket",
]
