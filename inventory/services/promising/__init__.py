"""What can be promised: calendars and lanes, how late suppliers come, offers, and pegs."""

from inventory.services.promising._drafting import CalendarDraft, DayDraft, LaneDraft
from inventory.services.promising._following import follow_calendar, record_following
from inventory.services.promising._keeping import save_calendar, save_lane
from inventory.services.promising._offering import Choice, Offered, offer_supply
from inventory.services.promising._pacing import tell_paces
from inventory.services.promising._pegging import Backing, Bound, Waiting, peg_waiting
from inventory.services.promising._reading import Wish
from inventory.services.promising._terms import PromiseTerms, promise_terms
from inventory.services.promising._waiting import FarNeed, leave_to_replenishment

__all__ = [
    "Backing",
    "Bound",
    "CalendarDraft",
    "Choice",
    "DayDraft",
    "FarNeed",
    "LaneDraft",
    "Offered",
    "PromiseTerms",
    "Waiting",
    "Wish",
    "follow_calendar",
    "leave_to_replenishment",
    "offer_supply",
    "peg_waiting",
    "promise_terms",
    "record_following",
    "save_calendar",
    "save_lane",
    "tell_paces",
]
