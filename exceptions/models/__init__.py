from exceptions.models.case import CaseComment, CaseTimer, ExceptionCase, PlayRun

__all__ = ["CaseComment", "CaseTimer", "ExceptionCase", "PlayRun"]
