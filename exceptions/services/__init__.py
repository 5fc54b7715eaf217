"""Everything that changes an exception case."""

from exceptions.services._agreeing import follow_play_approval
from exceptions.services._asking import OtherPlayWaits
from exceptions.services._attaching import BadFile, attach
from exceptions.services._automating import automate
from exceptions.services._closing import (
    NotClosed,
    NothingToReopen,
    StillSo,
    dismiss,
    reopen,
    resolve,
)
from exceptions.services._ending import end_ladder
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
from exceptions.services._undoing import CannotUndo, NothingToUndo, TooLateToUndo, undo_play
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
    "CannotUndo",
    "CaseClosed",
    "Fired",
    "GateClosed",
    "NotClosed",
    "NotWaiting",
    "NothingSaid",
    "NothingToReopen",
    "NothingToUndo",
    "OtherPlayWaits",
    "PlayNotOffered",
    "PriceMoved",
    "Raised",
    "Refreshed",
    "StillSo",
    "Swept",
    "TooLateToUndo",
    "acknowledge",
    "assign",
    "attach",
    "automate",
    "clear",
    "comment",
    "dismiss",
    "end_ladder",
    "fire_due_timers",
    "follow_play_approval",
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
    "undo_play",
    "unmerge",
    "wait",
    "watch",
]
