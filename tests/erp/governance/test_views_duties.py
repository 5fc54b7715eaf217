"""erp/governance/views_duties.py and api/duties.py: pages and resource of duties."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from erp.accounts.models import Entity, Role, RoleAssignment, User
from erp.governance.models import DutyMitigation
from erp.governance.services import Change, record, seal_audit
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def controller(entity: Entity) -> User:
    user = User.objects.create_user("carla")
    RoleAssignment.objects.create(user=user, entity=entity, role=Role.CONTROLLER)
    return user


@pytest.fixture
def page(controller: User, client: Client) -> Client:
    client.force_login(controller)
    return client


@pytest.fixture
def torn(entity: Entity) -> User:
    user = User.objects.create_user("torn", first_name="Tom", last_name="Torn")
    for role in (Role.CREDIT, Role.ORDER_DESK):
        RoleAssignment.objects.create(user=user, entity=entity, role=role)
    return user


def asked(torn: User, entity: Entity) -> dict[str, str]:
    return {
        "person": str(torn.pk), "entity": str(entity.pk), "one": "orders.change_credit_limit",
        "other": "orders.submit_order", "reason": "A small branch",
        "until": f"{timezone.localdate() + timedelta(days=30):%Y-%m-%d}",
    }  # fmt: skip


class TestPages:
    def test_show_who_conflicts_and_bear_it(self, page: Client, torn: User, entity: Entity) -> None:
        before = page.get(reverse("governance:duties"))
        answer = page.post(reverse("governance:mitigate"), asked(torn, entity), follow=True)

        assert "Tom Torn" in before.content.decode()
        assert [row.name for row in before.context["counting"]].count("Tom Torn") == 1
        assert [row.mitigation for row in answer.context["borne"]] == ["A small branch"]
        revoke = reverse("governance:revoke", args=[DutyMitigation.objects.get().pk])
        assert page.post(revoke, follow=True).context["borne"] == []

    def test_refuse_ones_own_and_other_entities(
        self, page: Client, torn: User, controller: User, entity: Entity
    ) -> None:
        other = Entity.objects.create(code="DE01", name="D", currency="EUR", country="DE")
        url = reverse("governance:mitigate")

        assert page.post(url, asked(controller, entity)).status_code == 409
        assert page.post(url, asked(torn, other)).status_code == 404
        assert page.post(url, asked(torn, entity) | {"until": ""}).status_code == 409
        assert not DutyMitigation.objects.exists()

    def test_show_rings_the_proof_and_the_export(self, page: Client, entity: Entity) -> None:
        change = Change(entity.pk, "=cmd", "t.t", 1, "t.t:1", after={"a": "Grün"})
        record(changes=[change], actor=None, now=NOW)
        seal_audit(now=NOW)

        assert page.get(reverse("governance:rings") + "?days=5").context["days"] == 5
        proof = page.post(reverse("governance:verify"))
        assert proof.context["report"].is_whole
        csv = b"".join(page.get(reverse("governance:export", args=["csv"])).streaming_content)
        assert "'=cmd" in csv.decode()
        assert "Grün" in csv.decode()

    def test_are_for_who_may_see_them(self, client: Client, clerk: User) -> None:
        client.force_login(clerk)

        assert client.get(reverse("governance:duties")).status_code == 403


class TestResource:
    def test_lists_bears_and_revokes(self, controller: User, torn: User, entity: Entity) -> None:
        api = APIClient()
        api.force_authenticate(controller)
        body = asked(torn, entity) | {
            "person": "torn", "entity": "US01",
            "until": (timezone.now() + timedelta(days=1)).isoformat(),
        }  # fmt: skip

        made = api.post("/api/v1/duties/mitigate/", body, format="json")
        found = api.get("/api/v1/duties/").json()["results"]
        mine = next(row for row in found if row["person"] == "Tom Torn")
        gone = api.post(f"/api/v1/duties/{made.json()['id']}/revoke/", {}, format="json")

        assert made.status_code == 201
        assert (mine["counts"], mine["mitigated_by"]) == (False, "carla")
        assert gone.json()["revoked_at"]
        assert api.get("/api/v1/duties/roles/").json()["results"]
        assert api.get("/api/v1/duties/rings/").json()["results"] == []


class TestStory:
    def test_shows_what_changed_to_who_may_read_the_record(
        self, page: Client, client: Client, entity: Entity, clerk: User
    ) -> None:
        other = Entity.objects.create(code="DE01", name="D", currency="EUR", country="DE")
        boss = User.objects.create_user("boss", first_name="Bea")
        for where, price in ((entity, "2.00"), (other, "9.99")):
            change = Change(
                where.pk, "orders.change_price", "orders.price", 1, "inventory.product:1",
                before={"unit_price": "1.00", "currency": "USD"},
                after={"unit_price": price, "currency": "USD"}, reason="List 2027",
                policy_version="p v3",
            )  # fmt: skip
            record(changes=[change], actor=clerk, now=NOW, on_behalf_of=boss)

        story = page.get(reverse("governance:story", args=["inventory.product", 1]))
        said = " ".join(story.content.decode().split())

        assert "unit_price: 1.00 → 2.00" in said
        assert "currency" not in said
        assert "9.99" not in said
        for word in ("clerk", "for Bea", "List 2027", "p v3"):
            assert word in said
        client.force_login(clerk)
        for kind in ("inventory.product", "no.such"):
            where_ = reverse("governance:story", args=[kind, 1])
            assert client.get(where_).status_code == 404
