"""Everything that changes an exception case."""

from exceptions.services._closing import (
    NotClosed,
    NothingToReopen,
    StillSo,
    dismiss,
    reopen,
    resolve,
)
from exceptions.services._playing import GateClosed, PlayNotOffered, PriceMoved, run_play
from exceptions.services._raising import Raised, raise_cases
from exceptions.services._refreshing import Refreshed, Swept, clear, refresh, sweep
from exceptions.services._timing import Fired, fire_due_timers
from exceptions.services._working import (
    COMMENT_MAX,
    AlreadyTaken,
    CannotOwn,
    CaseClosed,
    NothingSaid,
    acknowledge,
    assign,
    comment,
    take,
)

__all__ = [
    "COMMENT_MAX",
    "AlreadyTaken",
    "CannotOwn",
    "CaseClosed",
    "Fired",
    "GateClosed",
    "NotClosed",
    "NothingSaid",
    "NothingToReopen",
    "PlayNotOffered",
    "PriceMoved",
    "Raised",
    "Refreshed",
    "StillSo",
    "Swept",
    "acknowledge",
    "assign",
    "clear",
    "comment",
    "dismiss",
    "fire_due_timers",
    "raise_cases",
    "refresh",
    "reopen",
    "resolve",
    "run_play",
    "sweep",
    "take",
]
