"""Facts that exceptions tells the other apps."""

from dataclasses import dataclass
from typing import ClassVar

from erp.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOpened(Event):
    """A condition of the world needs somebody."""

    name: ClassVar[str] = "exceptions.case_opened"
    case_id: int
    entity_id: int
    type: str
    severity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEscalated(Event):
    """A case was not acknowledged or resolved in time, or is likely not to be (`kind`).

    `by_webhook` (1): the rung wants it told outside as well. `final` is what ends the ladder.
    """

    name: ClassVar[str] = "exceptions.case_escalated"
    case_id: int
    entity_id: int
    level: int
    kind: str = ""
    due_at: str = ""  # when the clock ran out (ISO 8601, UTC), however late it was noticed
    by_webhook: int = 0
    final: str = ""
    type: str = ""
    subject: str = ""
    severity: int = 0
    queue: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResolved(Event):
    """The condition is over, or somebody decided that it does not matter."""

    name: ClassVar[str] = "exceptions.case_resolved"
    case_id: int
    entity_id: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChanged(Event):
    """Somebody took, handed over, acknowledged or commented on a case, or its figures moved."""

    name: ClassVar[str] = "exceptions.case_changed"
    case_id: int
    entity_id: int
