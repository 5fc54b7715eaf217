"""Entities, users and roles."""

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
    *, username: str, password: str | None, first_name: str = "", last_name: str = ""
) -> User:
    """Add a person; without a password nobody can sign in as them."""
    return User.objects.create_user(
        username, password=password, first_name=first_name, last_name=last_name
    )


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
