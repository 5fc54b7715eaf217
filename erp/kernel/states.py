"""State changes of many rows at once, by the rules that django-fsm holds for one."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.db import models

from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows

Value = str | int | bool | date | datetime | Decimal | None


def sources_of(model: type[models.Model], transition: str) -> list[str]:
    """Return the states from which `transition` may start, as declared on the model."""
    return sorted(_declared(model, transition).transitions)


def target_of(model: type[models.Model], transition: str) -> str:
    """Return the one state to which `transition` leads.

    Raises:
        LookupError: it leads to several, so it cannot be applied to a set.
    """
    targets = {str(t.target) for t in _declared(model, transition).transitions.values()}
    if len(targets) != 1:
        raise LookupError(f"{model.__name__}.{transition} leads to {sorted(targets)}")
    return targets.pop()


def target_through(model: type[models.Model], transitions: Sequence[str]) -> str:
    """Return the state to which several transitions lead, one after the other.

    Raises:
        LookupError: one of them may not start where the one before it leads.
    """
    for earlier, later in pairwise(transitions):
        if target_of(model, earlier) not in sources_of(model, later):
            raise LookupError(f"{model.__name__}.{later} does not follow {earlier}")
    return target_of(model, transitions[-1])


def move(
    model: type[models.Model], transition: str, ids: Collection[int], **columns: Value
) -> list[int]:
    """Apply one transition to many rows in one guarded UPDATE; return the ids that moved.

    Rows that are not in a source state stay as they are and are missing from the answer: the caller
    decides whether that is a refusal. `columns` are what the single transition would set.
    """
    return move_through(model, [transition], ids, **columns)


def move_through(
    model: type[models.Model], transitions: Sequence[str], ids: Collection[int], **columns: Value
) -> list[int]:
    """Apply several transitions, one after the other, in one guarded UPDATE; see `move`.

    Raises:
        LookupError: one of them may not start where the one before it leads.
    """
    if not ids:
        return []
    target = target_through(model, transitions)
    field = str(_declared(model, transitions[0]).field.name)
    quote = '"{}"'.format
    named: dict[str, Any] = {field: target, **columns}
    by_column = {_column(model, name): value for name, value in named.items()}
    assigned = ", ".join(f"{quote(column)} = %({column})s" for column in by_column)
    statement = Prepared(
        f"UPDATE {quote(model._meta.db_table)} SET {assigned} "  # noqa: S608, SLF001  names are the model's own
        f"WHERE id = ANY(%(_ids)s) AND {quote(field)} = ANY(%(_sources)s) RETURNING id"
    )
    params = {**by_column, "_ids": list(ids), "_sources": sources_of(model, transitions[0])}
    return sorted(row[0] for row in rows(statement, params))


def _column(model: type[models.Model], name: str) -> str:
    field = model._meta.get_field(name)  # noqa: SLF001
    assert isinstance(field, models.Field)
    return str(field.column)


def _declared(model: type[models.Model], transition: str) -> Any:
    return getattr(model, transition)._django_fsm  # noqa: SLF001  the declaration itself
