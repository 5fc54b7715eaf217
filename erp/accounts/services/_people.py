"""Entities, users and roles."""

from django.contrib.auth.hashers import identify_hasher, make_password
from django.db import transaction

from erp.accounts.models import Entity, Role, RoleAssignment, User


@transaction.atomic
def create_entity(
    *, code: str, name: str, currency: str, country: str, time_zone: str = "UTC"
) -> Entity:
    """Open a company. Opening it again under the same code updates it."""
    values = {"name": name, "currency": currency, "country": country, "time_zone": time_zone}
    return Entity.objects.update_or_create(code=code, defaults=values)[0]


@transaction.atomic
def create_user(
    *,
    username: str,
    password: str | None,
    first_name: str = "",
    last_name: str = "",
    is_administrator: bool = False,
) -> User:
    """Add a person; without a password nobody can sign in as them.

    `password` may be encoded already (`make_password`), so that many people cost one hash.
    """
    user = User(username=username, first_name=first_name, last_name=last_name)
    user.is_staff = user.is_superuser = is_administrator
    user.password = str(password) if is_encoded(password) else make_password(password)
    user.save()
    return user


def is_encoded(password: str | None) -> bool:
    """Test if a password is a hash of ours rather than a secret."""
    try:
        return password is not None and bool(identify_hasher(password))
    except ValueError:
        return False


@transaction.atomic
def assign_role(*, user: User, entity: Entity, role: Role) -> RoleAssignment:
    """Give a person a role in an entity. Giving it again changes nothing."""
    assignment, _ = RoleAssignment.objects.get_or_create(user=user, entity=entity, role=role)
    user.__dict__.pop("granted", None)
    return assignment


@transaction.atomic
def change_profile(*, user: User, first_name: str, last_name: str, time_zone: str) -> None:
    """Change what a person says about themselves; `time_zone` is a name of the tz database."""
    user.first_name, user.last_name, user.time_zone = first_name, last_name, time_zone
    user.save(update_fields=["first_name", "last_name", "time_zone"])
