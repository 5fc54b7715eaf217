"""What is known of exception cases: types, conditions, ways out, queues, pages."""

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
from exceptions.selectors._registry import TYPES, case_type, label_of, types_at
from exceptions.selectors._types import CaseType, Pace

__all__ = [
    "INVARIANTS",
    "TYPES",
    "CaseOfOrder",
    "CaseType",
    "Figure",
    "Pace",
    "Queue",
    "QueueCounts",
    "QueueRow",
    "case_timeline",
    "case_type",
    "cases_of_customer",
    "cases_of_order",
    "cases_within",
    "colleagues",
    "comments",
    "counts",
    "figures",
    "find_case",
    "label_of",
    "plays_of",
    "queue",
    "runs",
    "timers",
    "type_counts",
    "types_at",
]
