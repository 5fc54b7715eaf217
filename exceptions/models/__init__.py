from exceptions.models.case import ExceptionCase, WaitingOn
from exceptions.models.desk import DefaultFilter, SavedFilter, Shift
from exceptions.models.notice import CaseAttachment, CaseWatcher, Notice, NoticePreference
from exceptions.models.work import CaseComment, CaseInterval, CaseTimer, PlayRequest, PlayRun

__all__ = [
    "CaseAttachment",
    "CaseComment",
    "CaseInterval",
    "CaseTimer",
    "CaseWatcher",
    "DefaultFilter",
    "ExceptionCase",
    "Notice",
    "NoticePreference",
    "PlayRequest",
    "PlayRun",
    "SavedFilter",
    "Shift",
    "WaitingOn",
]
