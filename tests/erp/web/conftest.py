"""People and companies that the pages of the shell are about."""

from collections.abc import Callable

import pytest
from django.test import Client

from erp.accounts.models import Entity, Role, RoleAssignment, User
from erp.web import counts, live, lockout, middleware, navigation

PASSWORD = "a-long-enough-password"  # noqa: S105


@pytest.fixture(autouse=True)
def _fresh() -> None:
    """Forget tries counted in the process, and failures that a breaker remembers."""
    lockout.OWN.clear()
    for breaker in (counts.breaker, live.breaker, lockout.breaker, middleware.breaker):
        breaker.reset()
    navigation.page_of.cache_clear()  # a test may bring addresses of its own


@pytest.fixture
def germany(db: None) -> Entity:
    return Entity.objects.create(
        code="DE01", name="Crossdock GmbH", currency="EUR", country="DE", time_zone="Europe/Berlin"
    )


@pytest.fixture
def person(db: None) -> Callable[..., User]:
    """Make a person with roles: `person(Role.BUYER, entity)`."""

    def make(role: Role | None = None, *entities: Entity, name: str = "dana") -> User:
        user = User.objects.create_user(name, password=PASSWORD, first_name="Dana")
        for each in entities:
            RoleAssignment.objects.create(user=user, entity=each, role=role)
        return user

    return make


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    """Return a browser in which somebody is signed in."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in
