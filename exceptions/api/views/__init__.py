"""The resources of exceptions."""

from exceptions.api.views._cases import ExceptionViewSet
from exceptions.api.views._desks import ExceptionFilterViewSet, ShiftViewSet

__all__ = ["ExceptionFilterViewSet", "ExceptionViewSet", "ShiftViewSet"]
