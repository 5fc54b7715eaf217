"""erp/accounts/api/, erp/accounts/services/_companies.py"""

import pytest
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from erp.accounts.services import assign_role, change_entity
from tests.conftest import grant

pytestmark = pytest.mark.django_db
ENTITIES = "/api/v1/entities/"
BODY = {"code": "DE01", "name": "Crossdock GmbH", "currency": "EUR", "country": "DE"}


@pytest.fixture
def administrator(api: APIClient, clerk: User, entity: Entity) -> APIClient:
    assign_role(user=clerk, entity=entity, role="administrator")
    return api


def test_shows_the_caller_s_companies_alone(administrator: APIClient) -> None:
    Entity.objects.create(**BODY)

    page = administrator.get(ENTITIES).json()

    assert [row["code"] for row in page["results"]] == ["US01"]
    assert administrator.get(f"{ENTITIES}US01/").json()["currency"] == "USD"
    assert administrator.get(f"{ENTITIES}DE01/").status_code == 404
    assert administrator.patch(f"{ENTITIES}DE01/", {"name": "Mine"}).status_code == 404
    assert Entity.objects.get(code="DE01").name == "Crossdock GmbH"


class TestOpenEntity:
    def test_opens_it(self, administrator: APIClient) -> None:
        response = administrator.post(ENTITIES, BODY)

        assert response.status_code == 201
        assert response.json() == {**BODY, "time_zone": "UTC", "is_active": True}

    def test_refuses_a_code_that_is_taken(self, administrator: APIClient) -> None:
        response = administrator.post(ENTITIES, {**BODY, "code": "US01"})

        assert (response.status_code, response.json()["code"]) == (409, "entity_exists")
        assert Entity.objects.get().name == "Crossdock Inc."

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("code", "us 1"),
            ("currency", "eur"),
            ("country", "Germany"),
            ("time_zone", "Mars/Olympus"),
            ("name", ""),
            ("is_active", False),
            ("id", 7),
        ],
    )
    def test_names_the_field_that_is_wrong(
        self, administrator: APIClient, field: str, value: object
    ) -> None:
        response = administrator.post(ENTITIES, {**BODY, field: value})

        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == field
        assert Entity.objects.count() == 1

    def test_needs_its_permission(self, api: APIClient, clerk: User, entity: Entity) -> None:
        grant(clerk, "accounts.view_entity", entity)

        assert api.post(ENTITIES, BODY).status_code == 403


class TestChangeEntity:
    def test_changes_what_is_sent(self, administrator: APIClient, entity: Entity) -> None:
        response = administrator.patch(f"{ENTITIES}US01/", {"time_zone": "America/New_York"})

        assert response.status_code == 200
        entity.refresh_from_db()
        assert (entity.time_zone, entity.name) == ("America/New_York", "Crossdock Inc.")

    def test_the_currency_of_its_books_stays(self, administrator: APIClient) -> None:
        assert administrator.patch(f"{ENTITIES}US01/", {"currency": "EUR"}).status_code == 400

    def test_nothing_is_no_change(self, administrator: APIClient) -> None:
        assert administrator.patch(f"{ENTITIES}US01/", {}).status_code == 200

    def test_the_service_itself_keeps_the_currency(self, entity: Entity) -> None:
        with pytest.raises(ValueError, match="currency"):
            change_entity(entity_id=entity.pk, changes={"currency": "EUR"})
