"""What is refused when stock is shared out anew."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from django.db import transaction

from erp.kernel.errors import DomainError
from orders.models import Reallocation

SHOWN = 3  # lines that a refusal names


class BadReallocation(DomainError):
    """What is asked for cannot be shared out; `field` is what is wrong."""

    code: ClassVar[str] = "bad_reallocation"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class NotEnoughToTake(DomainError):
    """Not so much can be taken for the line."""

    code: ClassVar[str] = "not_enough_to_take"


class NotDecided(DomainError):
    """It is not at a point where that can be done; what became of it is said."""

    code: ClassVar[str] = "not_decided"


class Overtaken(DomainError):
    """Stock or demand changed since it was simulated; `moved` names the lines it changed for."""

    code: ClassVar[str] = "overtaken"

    def __init__(self, reallocation: Reallocation, moved: Sequence[str]) -> None:
        shown, rest = ", ".join(moved[:SHOWN]), len(moved) - SHOWN
        more = f" and {rest} more" if rest > 0 else ""
        super().__init__(
            f"{reallocation.number} would come out otherwise by now, for {shown}{more}: "
            "nothing was changed. Simulate it again."
        )
        self.moved = list(moved)
        self.reallocation_id = reallocation.pk

    def follow_up(self, now: datetime) -> None:
        """Mark it as overtaken."""
        overtake(self.reallocation_id, str(self), now)


@transaction.atomic
def overtake(reallocation_id: int, reason: str, now: datetime) -> None:
    """Mark it as overtaken, unless it has ended."""
    found = Reallocation.objects.lock(reallocation_id)
    if found.ended_at is None and found.committed_at is None:
        found.go_stale(at=now, reason=reason[:300])
        found.save(update_fields=["state", "ended_at", "end_reason"])
