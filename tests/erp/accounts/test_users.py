"""erp/accounts/models/user.py, erp/accounts/grants.py, erp/accounts/middleware.py"""

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser, Group
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from erp.accounts import permissions
from erp.accounts.grants import grant_declared_permissions
from erp.accounts.middleware import ScopeMiddleware, choose_entity
from erp.accounts.models import Entity, Role, RoleAssignment, User
from erp.accounts.services import assign_role, create_entity, create_user
from tests.conftest import grant

pytestmark = pytest.mark.django_db
VIEW = "accounts.view_entity"


@pytest.fixture
def berlin(db: None) -> Entity:
    return create_entity(code="DE01", name="Crossdock GmbH", currency="EUR", country="DE")


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


class TestGranted:
    def test_a_permission_holds_where_the_role_does(
        self, clerk: User, entity: Entity, berlin: Entity
    ) -> None:
        grant(clerk, VIEW, entity)

        assert clerk.has_perm(VIEW)
        assert clerk.has_perm(VIEW, entity)
        assert clerk.has_perm(VIEW, entity.pk)
        assert not clerk.has_perm(VIEW, berlin)
        assert clerk.entity_ids(VIEW) == {entity.pk}
        assert clerk.has_perms([VIEW])
        assert not clerk.has_perms([VIEW, "accounts.change_entity"])
        assert clerk.has_module_perms("accounts")
        assert not clerk.has_module_perms("orders")

    def test_is_one_query(self, clerk: User, entity: Entity, django_assert_num_queries) -> None:
        grant(clerk, VIEW, entity)

        with django_assert_num_queries(1):
            for _ in range(3):
                clerk.has_perm(VIEW, entity)

    @pytest.mark.parametrize(
        ("begins", "ends", "holds"),
        [(None, None, True), (-1, 1, True), (1, None, False), (None, -1, False), (-2, -1, False)],
    )
    def test_a_role_has_its_time(
        self, clerk: User, entity: Entity, begins: int | None, ends: int | None, *, holds: bool
    ) -> None:
        grant(clerk, VIEW, entity)
        now = timezone.now()
        RoleAssignment.objects.update(
            valid_from=None if begins is None else now + timedelta(hours=begins),
            valid_until=None if ends is None else now + timedelta(hours=ends),
        )

        assert fresh(clerk).has_perm(VIEW) is holds

    def test_a_role_does_not_end_before_it_begins(self, clerk: User, entity: Entity) -> None:
        grant(clerk, VIEW, entity)
        now = timezone.now()
        with pytest.raises(IntegrityError), transaction.atomic():
            RoleAssignment.objects.update(valid_from=now, valid_until=now)

    def test_a_closed_company_grants_nothing(self, clerk: User, entity: Entity) -> None:
        grant(clerk, VIEW, entity)
        Entity.objects.update(is_active=False)

        assert not fresh(clerk).has_perm(VIEW)

    def test_who_left_may_nothing(self, clerk: User, entity: Entity) -> None:
        grant(clerk, VIEW, entity)
        clerk.is_active = False

        assert not clerk.has_perm(VIEW)
        assert not clerk.has_module_perms("accounts")
        assert clerk.entity_ids(VIEW) == frozenset()

    def test_a_superuser_may_everything_in_every_open_company(
        self, entity: Entity, berlin: Entity
    ) -> None:
        root = User.objects.create_superuser("root")

        assert root.has_perm("no.such")
        assert root.entity_ids(VIEW) == {entity.pk, berlin.pk}


class TestGrants:
    def test_a_role_holds_exactly_what_is_declared(self, clerk: User, entity: Entity) -> None:
        Group.objects.get(name=Role.BUYER).permissions.clear()
        grant_declared_permissions(apps.get_app_config("accounts"))

        assign_role(user=clerk, entity=entity, role=Role.BUYER)

        assert clerk.has_perm(VIEW, entity)

    def test_doing_it_again_changes_nothing(self) -> None:
        def held() -> set[tuple[str, str]]:
            return set(Group.objects.values_list("name", "permissions__codename"))

        before = held()
        grant_declared_permissions(apps.get_app_config("accounts"))

        assert held() == before

    def test_what_no_model_declares_is_named_and_granted_to_nobody(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setitem(permissions.GRANTS, "accounts.fly", ["buyer"])

        grant_declared_permissions(apps.get_app_config("accounts"))

        assert "accounts.fly" in caplog.text
        held = Group.objects.get(name=Role.BUYER).permissions.values_list("codename", flat=True)
        assert "view_entity" in held
        assert "fly" not in held


class TestScope:
    def request_of(self, user: User | AnonymousUser) -> HttpRequest:
        request = RequestFactory().get("/")
        request.user = user
        request.session = SessionStore()
        ScopeMiddleware(lambda _: HttpResponse())(request)
        return request

    def test_is_what_the_user_holds_within_what_is_chosen(
        self, clerk: User, entity: Entity, berlin: Entity
    ) -> None:
        grant(clerk, VIEW, entity)
        grant(clerk, VIEW, berlin)
        request = self.request_of(clerk)

        assert request.scope(VIEW) == {entity.pk, berlin.pk}
        choose_entity(request, berlin)
        assert request.scope(VIEW) == {berlin.pk}
        assert request.scope("accounts.change_entity") == frozenset()
        choose_entity(request, None)
        assert request.scope(VIEW) == {entity.pk, berlin.pk}

    def test_choosing_gives_no_right(self, clerk: User, entity: Entity) -> None:
        request = self.request_of(clerk)
        choose_entity(request, entity)

        assert request.scope(VIEW) == frozenset()

    def test_nobody_sees_nothing(self) -> None:
        assert self.request_of(AnonymousUser()).scope(VIEW) == frozenset()


class TestPeople:
    def test_opening_a_company_again_updates_it(self, berlin: Entity) -> None:
        again = create_entity(code="DE01", name="New", currency="EUR", country="DE")

        assert (again.pk, again.name) == (berlin.pk, "New")

    def test_a_currency_is_iso(self) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            create_entity(code="X", name="X", currency="eur", country="DE")

    def test_without_a_password_nobody_signs_in(self) -> None:
        user = create_user(username="timer", password=None)

        assert not user.has_usable_password()

    def test_a_role_given_twice_is_held_once(self, clerk: User, entity: Entity) -> None:
        for _ in range(2):
            assign_role(user=clerk, entity=entity, role=Role.BUYER)

        assert RoleAssignment.objects.count() == 1
