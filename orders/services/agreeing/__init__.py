"""Everything that changes blanket orders and their call-offs."""

from orders.services.agreeing._calling import (
    CallOffPart,
    NotActive,
    OutsidePeriod,
    call_off,
    make_due_call_offs,
)
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
    "BadAgreement",
    "BlanketDraft",
    "BlanketLineDraft",
    "CallOffDraft",
    "CallOffPart",
    "NotActive",
    "OutsidePeriod",
    "activate_blanket",
    "call_off",
    "end_blanket",
    "expire_blankets",
    "make_due_call_offs",
    "schedule_call_offs",
    "write_blanket",
]
