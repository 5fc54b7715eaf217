"""Which of several versions is in force at a moment, by their effective dates alone.

Of the versions of one scope (all entities, one entity, one node) that have begun and not ended, the
one that began last decides: a version with an end lies over the one below it, which decides again
afterwards. The nearest scope wins: the node's, the entity's, everybody's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

Key = TypeVar("Key")
Scope = tuple[int | None, str]  # entity, node: (None, "") is everybody, (7, "") entity 7
EVERYBODY: Scope = (None, "")
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # shipped tables were always valid


@dataclass(frozen=True, slots=True)
class Term(Generic[Key]):
    """From `since` until `until` (excluded; None is open) a version may decide in its scope."""

    key: Key
    scope: Scope
    since: datetime
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        return self.since <= now and (self.until is None or now < self.until)


def in_force(terms: Iterable[Term[Key]], now: datetime) -> dict[Scope, Term[Key]]:
    """Return the version that decides in each scope at `now`.

    Everybody's is never missing while there is one: before the first has begun, it decides already.
    """
    every = sorted(terms, key=lambda term: term.since)
    found = {term.scope: term for term in every if term.holds(now)}
    if EVERYBODY not in found:
        first = next((term for term in every if term.scope == EVERYBODY), None)
        if first is not None:
            found[EVERYBODY] = first
    return found


def nearest(found: Mapping[Scope, Term[Key]], entity_id: int | None, node: str) -> Term[Key] | None:
    """Return the version that decides for one node of an entity: its own, the entity's, all's."""
    for scope in ((entity_id, node), (entity_id, ""), EVERYBODY):
        if scope in found:
            return found[scope]
    return None


def superseded(term: Term[Key], others: Sequence[Term[Key]], now: datetime) -> bool:
    """Test if a version will never decide again: it ended, or an open one has followed it."""
    if term.until is not None and term.until <= now:
        return True
    return any(
        other.scope == term.scope and term.since < other.since <= now and other.until is None
        for other in others
    )


def decides_until(term: Term[Key], others: Sequence[Term[Key]]) -> datetime | None:
    """Return when a version stops for good, as far as is known: its end, or an open successor."""
    ends = [
        other.since
        for other in others
        if other.scope == term.scope and other.since > term.since and other.until is None
    ]
    if term.until is not None:
        ends.append(term.until)
    return min(ends, default=None)
