from exceptions.models.case import ExceptionCase
from exceptions.models.work import CaseComment, CaseTimer, PlayRun

__all__ = ["CaseComment", "CaseTimer", "ExceptionCase", "PlayRun"]
