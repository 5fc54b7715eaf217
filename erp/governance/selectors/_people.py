"""Who is who behind several accounts."""

from collections.abc import Collection

from erp.accounts.models import User


def same_person(*, one: User, others: Collection[int | None]) -> bool:
    """Test if `one` is among the users `others`, by account or as the same employee."""
    ids = {pk for pk in others if pk is not None}
    if one.pk in ids:
        return True
    if not ids or not one.employee_ref:
        return False
    return User.objects.filter(pk__in=ids, employee_ref=one.employee_ref).exists()
