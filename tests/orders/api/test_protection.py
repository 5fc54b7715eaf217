"""orders/api/views/_protection.py"""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from inventory import permissions
from inventory.models import Protection
from tests.conftest import grant
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
TODAY = timezone.now().date()


@pytest.fixture
def api(clerk: User, entity: Entity, api: APIClient) -> APIClient:
    grant(clerk, permissions.VIEW_PROTECTION, entity)
    grant(clerk, permissions.CHANGE_PROTECTION, entity)
    make.product("PEN")
    make.customer("MINE")
    return api


def share(entity: Entity, **change: object) -> dict[str, object]:
    return {
        "entity": entity.code, "segment": "top", "product": "PEN", "floor": "5",
        "first_day": f"{TODAY}", "last_day": f"{TODAY + timedelta(days=9)}",
    } | change  # fmt: skip


def test_a_segment_its_members_and_its_share(api: APIClient, entity: Entity) -> None:
    made = api.post("/api/v1/segments/", {"code": "top", "name": "Top tier"}, format="json")
    assert (made.status_code, made.json()["lends"]) == (201, True)
    member = {"kind": "customer", "code": "MINE", "segment": "top"}
    assert api.post("/api/v1/segments/assign/", member, format="json").json() == member
    assert api.get("/api/v1/segments/members/").json() == [member]
    assert [each["code"] for each in api.get("/api/v1/segments/").json()["results"]] == ["top"]

    kept = api.post("/api/v1/protections/", share(entity, cap="7"), format="json").json()
    assert (kept["floor"], kept["cap"], kept["used"], kept["left"]) == (
        "5.000", "7.000", "0.000", "5.000",
    )  # fmt: skip
    assert api.get("/api/v1/protections/?product=PEN").json()["results"] == [kept]
    assert api.get(f"/api/v1/protections/{kept['id']}/").json() == kept

    ended = {"last_day": f"{TODAY - timedelta(days=1)}"}
    api.post(f"/api/v1/protections/{kept['id']}/end/", ended, format="json")
    assert not Protection.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [({"product": "NOPE"}, "product"), ({"floor": "1.0001"}, "floor"), ({"cap": "1"}, "cap")],
)
def test_names_the_field_that_is_wrong(
    api: APIClient, entity: Entity, change: dict[str, str], field: str
) -> None:
    api.post("/api/v1/segments/", {"code": "top", "name": "Top tier"}, format="json")

    answer = api.post("/api/v1/protections/", share(entity, **change), format="json")

    assert answer.status_code in {400, 409, 422}
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert not Protection.objects.exists()


def test_another_company_s_is_not_there(api: APIClient) -> None:
    other = make.company("DE01", "EUR")
    api.post("/api/v1/segments/", {"code": "top", "name": "Top tier"}, format="json")

    assert api.post("/api/v1/protections/", share(other), format="json").status_code == 404
    assert api.get("/api/v1/protections/").json()["results"] == []
    assert api.get("/api/v1/protections/1/").status_code == 404
