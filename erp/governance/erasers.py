"""Who keeps personal data, and how it is emptied: calls go down, so the owners register it.

Filled while the apps load (in their `handlers`), read-only afterwards.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PersonKind:
    """One kind of record with personal data. `find` answers (id, label) of a code, if there is one.

    `erase` empties the record with that id and what was copied from it, and answers how many rows
    of what; done already, it answers nothing above zero.
    """

    find: Callable[[str], tuple[int, str] | None]
    erase: Callable[[int], Mapping[str, int]]


_kinds: dict[str, PersonKind] = {}


def register_person(kind: str, owner: PersonKind) -> None:
    """Tell how records of `kind` ("orders.customer") are emptied. Again, it replaces."""
    _kinds[kind] = owner


def person_kind(kind: str) -> PersonKind | None:
    """Return what the owner of a kind told, if anything."""
    return _kinds.get(kind)
