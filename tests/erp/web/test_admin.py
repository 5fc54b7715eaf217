"""erp/web/admin.py"""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client, RequestFactory

from erp.accounts.models import Entity, Role, RoleAssignment, User
from erp.web.admin import REFERENCE, Register, Window
from tests.orders import factories as orders

pytestmark = pytest.mark.django_db
OURS = ("erp.", "orders", "inventory", "procurement", "finance", "exceptions")
MODELS = [
    model
    for model in apps.get_models()
    if apps.get_app_config(model._meta.app_label).name.startswith(OURS) and model._meta.managed
]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m._meta.label)
class TestEveryModel:
    def test_has_a_list_that_opens(self, admin_client: Client, model: type) -> None:
        meta = model._meta

        answer = admin_client.get(f"/admin/{meta.app_label}/{meta.model_name}/")

        assert answer.status_code == 200

    def test_is_written_only_if_it_is_reference_data(self, admin_user: User, model: type) -> None:
        request = RequestFactory().get("/")
        request.user = admin_user
        window = admin.site._registry[model]
        writes = window.has_change_permission(request) or window.has_add_permission(request)

        assert not writes or model._meta.label_lower in REFERENCE | {"accounts.user"}
        if isinstance(window, Register):
            assert writes


def test_what_is_named_reference_exists() -> None:
    assert {model._meta.label_lower for model in MODELS} >= REFERENCE


def test_a_document_is_read_and_not_written(admin_client: Client) -> None:
    order = orders.created(orders.account(), orders.line(orders.priced()))
    where = f"/admin/orders/order/{order.pk}/"

    assert admin_client.get(f"{where}change/").status_code == 200
    assert admin_client.post(f"{where}change/", {"number": "SO-X"}).status_code == 403
    assert admin_client.post(f"{where}delete/", {"post": "yes"}).status_code == 403
    assert admin_client.post("/admin/orders/order/add/", {}).status_code == 403


class TestSupport:
    """Somebody of the staff who is no superuser."""

    @pytest.fixture
    def support(self, entity: Entity, person: Callable[..., User]) -> User:
        user = person(Role.ADMINISTRATOR, entity)
        user.is_staff = True
        user.save()
        return user

    def test_sees_the_rows_of_their_entities_alone(
        self, client: Client, support: User, germany: Entity
    ) -> None:
        ours = orders.created(orders.account(), orders.line(orders.priced()))
        theirs = orders.created(
            orders.account(entity=germany), orders.line(orders.priced(entity=germany))
        )
        client.force_login(support)

        page = client.get("/admin/orders/order/").content.decode()

        assert ours.number in page
        assert theirs.number not in page
        assert client.get(f"/admin/orders/order/{theirs.pk}/change/").status_code == 302

    def test_shows_no_secret(self, client: Client, support: User, admin_client: Client) -> None:
        for model in MODELS:
            window = admin.site._registry[model]
            if isinstance(window, Window):
                assert not {"password", "digest", "secret"} & set(window.list_display)

    def test_makes_nobody_a_superuser(self, client: Client, support: User) -> None:
        RoleAssignment.objects.all()
        client.force_login(support)

        client.post(f"/admin/accounts/user/{support.pk}/change/", {"is_superuser": "on"})

        support.refresh_from_db()
        assert not support.is_superuser


def test_roles_are_given_by_policy_and_never_to_oneself(
    admin_client: Client, admin_user: User, entity: Entity
) -> None:
    person = User.objects.create_user("mira")
    RoleAssignment.objects.create(user=person, entity=entity, role="credit")

    def give(to: User, role: str) -> None:
        held = to.roles.all()
        form: dict[str, Any] = {
            "username": to.username, "time_zone": "UTC", "kind": "person",
            "is_active": "on", "roles-TOTAL_FORMS": held.count() + 1,
            "roles-INITIAL_FORMS": held.count(), "roles-MIN_NUM_FORMS": 0,
            "roles-MAX_NUM_FORMS": 100, f"roles-{held.count()}-entity": entity.pk,
            f"roles-{held.count()}-role": role, f"roles-{held.count()}-user": to.pk,
        }  # fmt: skip
        for number, each in enumerate(held):
            form |= {f"roles-{number}-id": each.pk, f"roles-{number}-user": to.pk}
        admin_client.post(f"/admin/accounts/user/{to.pk}/change/", form)

    give(person, "order_desk")  # with credit: refused
    give(person, "planner")
    give(admin_user, "planner")

    assert sorted(person.roles.values_list("role", flat=True)) == ["credit", "planner"]
    assert not admin_user.roles.exists()
