"""What is known of exception cases: types, conditions, ways out, queues, pages."""

from exceptions.selectors._plays import plays_of
from exceptions.selectors._registry import TYPES, case_type, label_of, types_at
from exceptions.selectors._types import CaseType, Pace

__all__ = ["TYPES", "CaseType", "Pace", "case_type", "label_of", "plays_of", "types_at"]
