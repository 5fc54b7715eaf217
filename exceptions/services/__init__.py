"""Everything that changes an exception case."""

from exceptions.services._attaching import BadFile, attach
from exceptions.services._closing import (
    NotClosed,
    NothingToReopen,
    StillSo,
    dismiss,
    reopen,
    resolve,
)
from exceptions.services._firing import Fired, fire_due_timers
from exceptions.services._hanging import BadMerge, merge, unmerge
from exceptions.services._noticing import prefer, read_notices, send_next_mail
from exceptions.services._playing import GateClosed, PlayNotOffered, PriceMoved, run_play
from exceptions.services._raising import Raised, raise_cases
from exceptions.services._refreshing import (
    Refreshed,
    Swept,
    clear,
    reconsider_children,
    refresh,
    sweep,
)
from exceptions.services._waiting import BadWait, NotWaiting, go_on, snooze, wait
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
    watch,
)

__all__ = [
    "COMMENT_MAX",
    "AlreadyTaken",
    "BadFile",
    "BadMerge",
    "BadWait",
    "CannotOwn",
    "CaseClosed",
    "Fired",
    "GateClosed",
    "NotClosed",
    "NotWaiting",
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
    "attach",
    "clear",
    "comment",
    "dismiss",
    "fire_due_timers",
    "go_on",
    "merge",
    "prefer",
    "raise_cases",
    "read_notices",
    "reconsider_children",
    "refresh",
    "reopen",
    "resolve",
    "run_play",
    "send_next_mail",
    "snooze",
    "sweep",
    "take",
    "unmerge",
    "wait",
    "watch",
]
