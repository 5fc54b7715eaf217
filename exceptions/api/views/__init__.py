"""The resources of exceptions."""

from erp.api.vocabulary import register_words
from exceptions.api.views._cases import ExceptionViewSet
from exceptions.api.views._desks import ExceptionFilterViewSet, ShiftViewSet
from exceptions.rules.catalogue import PLAY_KINDS
from exceptions.selectors import TYPES

register_words(
    "exceptions.exceptioncase.type", lambda: [(code, kind.label) for code, kind in TYPES.items()]
)
register_words(
    "exceptions.playrun.key", lambda: [(key, kind.label) for key, kind in PLAY_KINDS.items()]
)

__all__ = ["ExceptionFilterViewSet", "ExceptionViewSet", "ShiftViewSet"]
