"""What is known of exception cases: types, conditions, ways out, queues, pages."""

from exceptions.selectors._around import (
    Child,
    Lay,
    NoticeRow,
    attachment,
    attachments,
    children,
    count_children,
    intervals,
    is_watching,
    notices,
    preference,
    unread,
)
from exceptions.selectors._case import (
    CaseOfOrder,
    Figure,
    case_timeline,
    cases_of_customer,
    cases_of_order,
    cases_within,
    colleagues,
    comments,
    figures,
    find_case,
    runs,
    timers,
)
from exceptions.selectors._invariants import INVARIANTS
from exceptions.selectors._plays import plays_of
from exceptions.selectors._queue import Queue, QueueCounts, QueueRow, counts, queue, type_counts
from exceptions.selectors._registry import TYPES, case_type, gathering_types, label_of, types_at
from exceptions.selectors._supply_types import lines_behind
from exceptions.selectors._types import CaseType, Pace

__all__ = [
    "INVARIANTS",
    "TYPES",
    "CaseOfOrder",
    "CaseType",
    "Child",
    "Figure",
    "Lay",
    "NoticeRow",
    "Pace",
    "Queue",
    "QueueCounts",
    "QueueRow",
    "attachment",
    "attachments",
    "case_timeline",
    "case_type",
    "cases_of_customer",
    "cases_of_order",
    "cases_within",
    "children",
    "colleagues",
    "comments",
    "count_children",
    "counts",
    "figures",
    "find_case",
    "gathering_types",
    "intervals",
    "is_watching",
    "label_of",
    "lines_behind",
    "notices",
    "plays_of",
    "preference",
    "queue",
    "runs",
    "timers",
    "type_counts",
    "types_at",
    "unread",
]
