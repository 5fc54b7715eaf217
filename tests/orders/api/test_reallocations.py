"""orders/api/views/_reallocations.py."""

import pytest
from rest_framework.test import APIClient

from erp.accounts.models import User
from orders import permissions
from orders.models import Order, Reallocation
from tests.conftest import grant
from tests.orders import factories as make
from tests.orders.services.reallocating.worlds import held, ordered

pytestmark = pytest.mark.django_db
RUNS, OVERRIDES = "/api/v1/allocation-runs/", "/api/v1/overrides/"
EVERYTHING = {"scope": {"entity": "US01"}}


@pytest.fixture
def planner(clerk: User) -> User:
    for permission in (
        permissions.VIEW_REALLOCATION,
        permissions.REALLOCATE,
        permissions.OVERRIDE,
        permissions.APPROVE_REALLOCATION,
    ):
        grant(clerk, permission, make.company())
    return clerk


def shortage(tier: str = "C") -> tuple[Order, Order]:
    part = make.priced("10", code="PEN")
    make.stocked(part, 5)
    return ordered(part, 5, tier), ordered(part, 4, "A")


class TestAllocationRuns:
    def test_are_simulated_looked_at_and_committed(self, planner: User, api: APIClient) -> None:
        early, late = shortage()
        asked = {"scope": {"entity": "US01", "products": ["PEN"]}, "strategy": {"C": "fill"}}

        made = api.post(RUNS, asked, format="json")
        number = made.json()["number"]
        changes = api.get(f"{RUNS}{number}/changes/").json()
        losers = api.get(f"{RUNS}{number}/changes/?which=losers").json()["results"]
        done = api.post(f"{RUNS}{number}/commit/")

        assert made.status_code == 201, made.json()
        assert made.headers["Location"] == f"{RUNS}{number}/"
        assert (made.json()["state"], made.json()["products"]) == ("simulated", ["PEN"])
        assert [each["segment"] for each in changes["segments"]] == ["A", "C"]
        assert {each["order"] for each in changes["results"]} == {early.number, late.number}
        assert [(each["order"], each["gained"]) for each in losers] == [(early.number, "-4.000")]
        assert (done.status_code, done.json()["state"]) == (200, "committed")
        assert (held(early), held(late)) == (1, 4)
        assert [each["number"] for each in api.get(RUNS).json()["results"]] == [number]
        assert api.get(OVERRIDES).json()["results"] == []

    def test_may_be_done_at_once(self, planner: User, api: APIClient) -> None:
        _, late = shortage()

        made = api.post(RUNS, {**EVERYTHING, "simulate": False}, format="json")

        assert made.json()["state"] == "committed"
        assert held(late) == 4

    def test_are_discarded(self, planner: User, api: APIClient) -> None:
        early, _ = shortage()
        number = api.post(RUNS, EVERYTHING, format="json").json()["number"]

        gone = api.post(f"{RUNS}{number}/discard/", {"reason": "No"}, format="json")
        refused = api.post(f"{RUNS}{number}/commit/")

        assert (gone.json()["state"], gone.json()["end_reason"]) == ("discarded", "No")
        assert (refused.status_code, refused.json()["code"]) == (409, "not_decided")
        assert held(early) == 5

    def test_say_that_they_were_overtaken(self, planner: User, api: APIClient) -> None:
        early, _ = shortage()
        number = api.post(RUNS, EVERYTHING, format="json").json()["number"]
        make.stocked(make.lines_of(early)[0].product, 1)

        refused = api.post(f"{RUNS}{number}/commit/")

        assert (refused.status_code, refused.json()["code"]) == (409, "overtaken")
        assert early.number in refused.json()["detail"]
        assert api.get(f"{RUNS}{number}/").json()["state"] == "stale"
        assert held(early) == 5

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({"scope": {"entity": "US01", "products": ["NO"]}}, "scope.products[0]"),
            ({**EVERYTHING, "strategy": {"A": "grab"}}, "strategy.A"),
            ({**EVERYTHING, "strategy": {"Z": "win"}}, "strategy.Z"),
        ],
    )
    def test_name_what_is_wrong(
        self, planner: User, api: APIClient, asked: dict[str, object], field: str
    ) -> None:
        refused = api.post(RUNS, asked, format="json")

        assert [each["field"] for each in refused.json()["errors"]] == [field]
        assert not Reallocation.objects.exists()

    def test_of_another_company_are_not_there(self, planner: User, api: APIClient) -> None:
        number = api.post(RUNS, EVERYTHING, format="json").json()["number"]
        Reallocation.objects.update(entity=make.company("DE01", "EUR"))

        for address in (f"{RUNS}{number}/", f"{RUNS}{number}/changes/"):
            assert api.get(address).status_code == 404
        assert api.post(f"{RUNS}{number}/commit/").status_code == 404
        assert api.get(RUNS).json()["results"] == []
        other = {"scope": {"entity": "DE01"}}
        assert api.post(RUNS, other, format="json").status_code == 404

    def test_need_their_permissions(self, clerk: User, api: APIClient) -> None:
        grant(clerk, permissions.VIEW_REALLOCATION, make.company())

        assert api.get(RUNS).status_code == 200
        assert api.post(RUNS, EVERYTHING, format="json").status_code == 403
        assert api.post(OVERRIDES, {}, format="json").status_code == 403
        assert not Reallocation.objects.exists()


class TestOverrides:
    def test_wait_with_their_losers_for_somebody_else(self, planner, api: APIClient) -> None:
        early, late = shortage()
        asked = {
            "line": {"order": late.number, "line": 1},
            "quantity": "2",
            "from": [{"order": early.number, "line": 1}],
            "reason": "A line is down there",
        }

        made = api.post(OVERRIDES, asked, format="json")
        number = made.json()["number"]
        changes = api.get(f"{OVERRIDES}{number}/changes/?which=losers").json()["results"]
        own = api.post(f"{OVERRIDES}{number}/approve/")

        assert (made.status_code, made.json()["state"]) == (201, "awaiting_approval")
        assert made.json()["line"] == {"order": late.number, "line": 1}
        assert [(each["order"], each["amount"]) for each in changes] == [(early.number, "-20.0000")]
        assert (own.status_code, own.json()["code"]) == (409, "own_request")
        assert held(early) == 5

    def test_are_approved_and_rejected_by_others(self, planner, api: APIClient) -> None:
        early, late = shortage()
        asked = {"line": {"order": late.number, "line": 1}, "quantity": "2", "reason": "Urgent"}
        numbers = []
        for _ in range(2):
            made = api.post(OVERRIDES, asked, format="json").json()
            numbers.append(made["number"])
        lead = make.person("lead", "operations_lead")
        api.force_authenticate(lead)

        no = api.post(f"{OVERRIDES}{numbers[0]}/reject/", {"reason": "No"}, format="json")
        yes = api.post(f"{OVERRIDES}{numbers[1]}/approve/")

        assert (no.status_code, no.json()["state"]) == (200, "discarded"), no.json()
        assert (yes.status_code, yes.json()["state"]) == (200, "committed"), yes.json()
        assert (held(early), held(late)) == (3, 2)

    def test_name_a_line_that_is_none(self, planner: User, api: APIClient) -> None:
        asked = {"line": {"order": "SO-1", "line": 1}, "quantity": "2", "reason": "Urgent"}

        refused = api.post(OVERRIDES, asked, format="json")

        assert [each["field"] for each in refused.json()["errors"]] == ["line"]
