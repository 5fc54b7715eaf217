"""Who follows calendars, as each app keeps them: they register how to find and change their rows.

Filled while the apps load, read-only afterwards (ADR 0022).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from erp.accounts.models import User


class Attach(Protocol):
    """Lets rows (id -> code) follow a calendar by id, None for no calendar, and audits it."""

    def __call__(
        self,
        *,
        rows: Mapping[int, str],
        calendar_id: int | None,
        code: str,
        actor: "User | None",
        now: datetime,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class FollowerKind:
    """One kind of those who follow calendars, `customers` say.

    `within` returns the rows that people of these entities may change; each has `code`, `name` and
    `calendar_id`. `page` is the url name of its page, which takes the code.
    """

    name: str
    within: "Callable[[Collection[int]], QuerySet]"  # type: ignore[type-arg]  # of any model
    attach: Attach
    page: str = ""


_kinds: dict[str, FollowerKind] = {}


def register_followers(kind: FollowerKind) -> None:
    """Tell who else follows calendars. Filled while the apps load; telling it again replaces it."""
    _kinds[kind.name] = kind


def follower_kinds() -> list[FollowerKind]:
    """Return every kind of follower, by name."""
    return [_kinds[name] for name in sorted(_kinds)]
