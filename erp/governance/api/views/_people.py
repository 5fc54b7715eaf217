"""People by their username, as far as the user may know of them."""

from collections.abc import Collection

from erp.accounts.models import RoleAssignment, User
from erp.api.problems import ErrorDetail, ValidationError


def colleague(username: str, entity_ids: Collection[int], field: str = "to") -> User:
    """Return the person with that username who has a role in one of these entities.

    Raises:
        ValidationError: there is nobody of that name there; `field` names where it was written.
    """
    there = RoleAssignment.objects.filter(entity_id__in=entity_ids).values("user_id")
    found = User.objects.filter(username=username, pk__in=there).first()
    if found is None:
        message = f"There is nobody called {username[:50]!r} there."
        raise ValidationError({field: [ErrorDetail(message, "unknown_person")]})
    return found
