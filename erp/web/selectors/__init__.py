"""What the shell reads across all domains: search, each person's work, what waits where."""

from erp.web.selectors._finding import Found, find
from erp.web.selectors._waiting import COUNTED, all_waiting, waiting_behind
from erp.web.selectors._working import Work, Worklist, my_work

__all__ = [
    "COUNTED",
    "Found",
    "Work",
    "Worklist",
    "all_waiting",
    "find",
    "my_work",
    "waiting_behind",
]
