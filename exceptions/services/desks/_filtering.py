"""Keeps the views of the queue that people gave names to."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import RoleAssignment, User
from erp.kernel.errors import DomainError
from exceptions.models import DefaultFilter, SavedFilter
from exceptions.selectors import saved_filters

NAME_MAX, VALUE_MAX, FILTERS_MAX = 60, 80, 50
PARAMETERS = ("view", "queue", "type", "severity", "q", "sort")


class BadFilter(DomainError):
    """A filter has a name of its own, narrows something, and is shared with a role one has."""

    code: ClassVar[str] = "bad_filter"

    def __init__(self, field: str, message: str) -> None:
        self.errors = [{"field": field, "code": self.code, "message": message}]
        super().__init__(message)


@transaction.atomic
def save_filter(
    *,
    name: str,
    query: Mapping[str, str],
    actor: User,
    now: datetime,
    shared_with: tuple[int, str] | None = None,
) -> SavedFilter:
    """Keep a view of the queue under a name; the same name again takes its place.

    `shared_with` is an entity and a role that the person has there.

    Raises:
        BadFilter: no name or a long one, nothing to narrow, too many, or another's role.
    """
    kept = {key: str(query[key])[:VALUE_MAX] for key in PARAMETERS if query.get(key)}
    if not 0 < len(name.strip()) <= NAME_MAX:
        raise BadFilter("name", f"Give it a name of at most {NAME_MAX} letters.")
    if not kept:
        raise BadFilter("query", "Narrow the queue first.")
    entity_id, role = shared_with or (None, "")
    if shared_with and not _has(actor, *shared_with, now):
        raise BadFilter("role", "Share it with a role of your own.")
    own = SavedFilter.objects.filter(owner=actor)
    if own.count() >= FILTERS_MAX and not own.filter(name=name.strip()).exists():
        raise BadFilter("name", f"Nobody keeps more than {FILTERS_MAX}.")
    values = {"query": kept, "entity_id": entity_id, "role": role}
    return SavedFilter.objects.update_or_create(
        owner=actor,
        name=name.strip(),
        defaults=values,
        create_defaults=values | {"created_at": now},
    )[0]


@transaction.atomic
def forget_filter(*, filter_id: int, actor: User) -> bool:
    """Drop a filter of one's own; say whether there was one."""
    return bool(SavedFilter.objects.filter(pk=filter_id, owner=actor).delete()[0])


@transaction.atomic
def open_with(*, filter_id: int | None, actor: User, now: datetime) -> None:
    """Say which filter the queue opens with; None: everything.

    Raises:
        SavedFilter.DoesNotExist: it is neither one's own nor shared with one.
    """
    if filter_id is None:
        DefaultFilter.objects.filter(user=actor).delete()
        return
    if filter_id not in {one.id for one in saved_filters(user=actor, now=now)}:
        raise SavedFilter.DoesNotExist(f"no filter {filter_id}")
    DefaultFilter.objects.update_or_create(user=actor, defaults={"filter_id": filter_id})


def _has(actor: User, entity_id: int, role: str, now: datetime) -> bool:
    held = RoleAssignment.objects.filter(user=actor, entity_id=entity_id, role=role)
    return any(
        (one.valid_from is None or one.valid_from <= now)
        and (one.valid_until is None or one.valid_until > now)
        for one in held
    )
