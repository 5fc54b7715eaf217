"""exceptions/api/views/_desks.py, and what waits for agreement over HTTP"""

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from exceptions.models import PlayRequest, Shift
from exceptions.services import run_play
from tests.exceptions import factories

pytestmark = pytest.mark.django_db
FILTERS, SHIFTS = "/api/v1/exception-filters/", "/api/v1/exception-shifts/"


@pytest.fixture
def lead(entity: Entity) -> User:
    return factories.person("kim", "operations_lead")


@pytest.fixture
def api(lead: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(lead)
    return client


def test_a_view_is_kept_shared_made_the_default_and_forgotten(api: APIClient) -> None:
    body = {"name": "Worst", "query": {"severity": "1"}, "entity": "US01",
            "role": "operations_lead"}  # fmt: skip
    made = api.post(FILTERS, body, format="json")
    pk = made.json()["id"]

    opened = api.post(f"{FILTERS}{pk}/open-with/", {"default": True}, format="json")

    assert (made.status_code, made.json()["own"]) == (201, True)
    assert [one["default"] for one in opened.json()["results"]] == [True]
    zoe = APIClient()
    zoe.force_authenticate(factories.person("zoe", "operations_lead"))
    assert [one["name"] for one in zoe.get(FILTERS).json()["results"]] == ["Worst"]
    assert zoe.delete(f"{FILTERS}{pk}/").status_code == 404
    assert api.delete(f"{FILTERS}{pk}/").status_code == 204
    assert api.get(FILTERS).json()["results"] == []


def test_a_view_that_narrows_nothing_is_refused_by_its_field(api: APIClient) -> None:
    refused = api.post(FILTERS, {"name": "All", "query": {}}, format="json")

    assert refused.status_code in {400, 409}
    assert "query" in refused.content.decode()


def test_a_shift_is_planned_and_taken_out_by_who_may(api: APIClient) -> None:
    factories.person("lee", "planner")
    body = {"entity": "US01", "role": "planner", "user": "lee", "weekdays": "1111100",
            "starts": "06:00", "ends": "14:00"}  # fmt: skip
    made = api.post(SHIFTS, body, format="json")
    listed = api.get(SHIFTS).json()["results"]
    other = APIClient()
    other.force_authenticate(factories.person("ann", "planner"))

    assert made.status_code == 201
    assert (listed[0]["user"], listed[0]["starts"], listed[0]["ends"]) == ("lee", "06:00", "14:00")
    assert other.get(SHIFTS).status_code == 403
    assert other.post(SHIFTS, body, format="json").status_code == 403
    assert api.post(SHIFTS, body | {"weekdays": "11"}, format="json").status_code == 400
    assert api.delete(f"{SHIFTS}{made.json()['id']}/").status_code == 204
    assert not Shift.objects.exists()


def test_what_waits_for_agreement_is_told_with_who_may_agree(api: APIClient, lead: User) -> None:
    factories.person("zoe", "operations_lead")
    case = factories.hold_case(now=timezone.now(), total=10_000)
    request = run_play(case_id=case.pk, key="cancel", actor=lead, now=timezone.now())
    assert isinstance(request, PlayRequest)

    (shown,) = api.get(f"/api/v1/exceptions/{case.pk}/requests/").json()
    said = api.get(f"/api/v1/exceptions/{case.pk}/automation/").json()

    assert (shown["state"], shown["requested_by"], shown["may_decide"]) == ("pending", "Kim", False)
    assert "Zoe" in shown["may_agree"]
    assert shown["approval"] is not None
    assert said["mode"] in {"auto", "recommend", "human"}
    assert said["policy_version"].startswith("exceptions.automation")


def test_an_undo_is_pressed_over_http(api: APIClient, lead: User) -> None:
    case = factories.hold_case(now=timezone.now(), account=factories.account(credit_limit=400))
    done = run_play(case_id=case.pk, key="keep_held", actor=lead, now=timezone.now())
    url = f"/api/v1/exceptions/{case.pk}/plays/keep_held/undo/"

    unsaid = api.post(url, {}, format="json")
    undone = api.post(url, {"reason": "They called"}, format="json")

    assert done.key == "keep_held"
    assert unsaid.status_code == 400
    assert (undone.status_code, undone.json()["undo_reason"]) == (200, "They called")


def test_the_vocabulary_lists_types_states_and_reasons(api: APIClient) -> None:
    said = api.get("/api/v1/vocabulary/").json()

    types = {one["code"] for one in said["exceptions.exceptioncase.type"]}
    assert {"orders.shortage", "governance.duty_conflict", "partners.file_rejected"} <= types
    assert {one["code"] for one in said["exceptions.exceptioncase.state"]} >= {
        "open",
        "waiting",
        "dismissed",
    }
    assert {one["code"] for one in said["exceptions.playrun.key"]} >= {"backorder", "chase"}
