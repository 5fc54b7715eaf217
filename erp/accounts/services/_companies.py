"""Opening and changing companies, one by one."""

from collections.abc import Mapping
from typing import ClassVar

from django.db import IntegrityError, transaction

from erp.accounts.models import Entity
from erp.kernel.errors import DomainError

CHANGEABLE = {"name", "country", "time_zone", "is_active"}  # its books are kept in its currency


class EntityExists(DomainError):
    """Another company has that code."""

    code: ClassVar[str] = "entity_exists"


@transaction.atomic
def open_entity(*, code: str, name: str, currency: str, country: str, time_zone: str) -> Entity:
    """Open a company under a code that nobody has.

    Raises:
        EntityExists: somebody has it.
    """
    try:
        with transaction.atomic():
            return Entity.objects.create(
                code=code, name=name, currency=currency, country=country, time_zone=time_zone
            )
    except IntegrityError as error:
        if Entity.objects.filter(code=code).exists():
            raise EntityExists(f"There is a company {code} already.") from error
        raise


@transaction.atomic
def change_entity(*, entity_id: int, changes: Mapping[str, str | bool]) -> Entity:
    """Change what may change of a company: name, country, time zone, whether it is active.

    Raises:
        ValueError: `changes` names something else.
    """
    if not changes.keys() <= CHANGEABLE:
        raise ValueError(f"{sorted(changes.keys() - CHANGEABLE)} cannot change")
    entity = Entity.objects.select_for_update().get(pk=entity_id)
    for name, value in changes.items():
        setattr(entity, name, value)
    entity.save(update_fields=list(changes))
    return entity
