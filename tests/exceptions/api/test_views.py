"""exceptions/api/views.py"""

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from exceptions.models import ExceptionCase
from tests.exceptions import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def planner(entity: Entity) -> User:
    return factories.person("lee", "planner")


@pytest.fixture
def api(planner: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(planner)
    return client


def live_case(**values: object) -> ExceptionCase:
    return factories.shortage_case(now=timezone.now(), **values)


class TestExceptions:
    def test_lists_what_is_live_by_loss(self, api: APIClient) -> None:
        live_case(quantity=2)
        grave = live_case(quantity=600)

        answer = api.get("/api/v1/exceptions/?live=true&ordering=-expected_loss")

        first = answer.json()["results"][0]
        assert (first["id"], first["type"]) == (grave.pk, "orders.shortage")
        assert first["expected_loss"] == f"{grave.expected_loss:f}"
        assert first["reasons"]["revenue"] == "6000.00"
        assert first["owner"] == "lee"
        assert first["order"] == grave.order.number

    def test_refuses_filters_it_does_not_know(self, api: APIClient) -> None:
        assert api.get("/api/v1/exceptions/?colour=red").status_code == 400
        assert api.get("/api/v1/exceptions/?severity=bad").status_code == 400

    def test_hides_what_is_not_yours(self, api: APIClient) -> None:
        other = factories.company("DE01", country="DE", currency="EUR")
        hidden = live_case(account=factories.account(entity=other))

        for verb in ("", "plays/", "timeline/", "children/"):
            assert api.get(f"/api/v1/exceptions/{hidden.pk}/{verb}").status_code == 404
        assert api.post(f"/api/v1/exceptions/{hidden.pk}/take/").status_code == 404
        assert api.get(f"/api/v1/exceptions/{'9' * 19}/").status_code == 404

    def test_is_taken_handed_over_and_commented(self, api: APIClient, planner: User) -> None:
        case = live_case()
        factories.person("ann", "planner")

        taken = api.post(f"/api/v1/exceptions/{case.pk}/take/", {}, format="json")
        handed = api.post(f"/api/v1/exceptions/{case.pk}/assign/", {"owner": "ann"}, format="json")
        said = api.post(f"/api/v1/exceptions/{case.pk}/comment/", {"text": "Hm."}, format="json")

        assert taken.json()["state"] == "acknowledged"
        assert handed.json()["owner"] == "ann"
        assert (said.status_code, said.json()["author"]) == (201, "lee")
        told = api.get(f"/api/v1/exceptions/{case.pk}/timeline/").json()
        assert [entry["action"] for entry in told][:3] == [
            "exceptions.comment", "exceptions.assign", "exceptions.take",
        ]  # fmt: skip

    def test_prices_and_runs_its_plays(self, api: APIClient) -> None:
        item = factories.product()
        factories.offer(item, lead_time_days=10)
        case = live_case(item=item, account=factories.account(penalty_rate="0.01"))

        offered = api.get(f"/api/v1/exceptions/{case.pk}/plays/").json()
        (play,) = [one for one in offered if one["key"] == "backorder"]
        dearer = api.post(
            f"/api/v1/exceptions/{case.pk}/plays/backorder/run/", {"quoted": "0"}, format="json"
        )
        done = api.post(
            f"/api/v1/exceptions/{case.pk}/plays/backorder/run/",
            {"quoted": play["cost"]},
            format="json",
        )

        assert (play["key"], play["allowed"], play["currency"]) == ("backorder", True, "USD")
        assert (dearer.status_code, dearer.json()["code"]) == (409, "price_moved")
        assert done.json()["case"]["state"] == "resolved"
        again = api.post(f"/api/v1/exceptions/{case.pk}/plays/backorder/run/", {}, format="json")
        assert (again.status_code, again.json()["code"]) == (409, "case_closed")

    def test_keeps_dismissing_to_those_who_may(self, api: APIClient) -> None:
        case = live_case()
        refused = api.post(
            f"/api/v1/exceptions/{case.pk}/dismiss/", {"reason": "No"}, format="json"
        )
        api.force_authenticate(factories.person("kim", "operations_lead"))
        nothing = api.post(f"/api/v1/exceptions/{case.pk}/dismiss/", {}, format="json")
        done = api.post(
            f"/api/v1/exceptions/{case.pk}/dismiss/", {"reason": "Agreed"}, format="json"
        )

        assert refused.status_code == 403
        assert nothing.status_code == 400
        assert done.json()["state"] == "dismissed"
        back = api.post(f"/api/v1/exceptions/{case.pk}/reopen/", {}, format="json")
        assert (back.json()["state"], back.json()["reopened_count"]) == ("assigned", 1)
