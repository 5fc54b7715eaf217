"""erp/insight/api/views.py"""

import pytest
from rest_framework.test import APIClient

from erp.accounts.models import RoleAssignment, User
from tests.finance import factories
from tests.finance.factories import TODAY, World

LATER = "2026-12-20T00:00:00Z"
pytestmark = pytest.mark.django_db


@pytest.fixture
def api(where: World) -> APIClient:
    user = User.objects.create_user("eve")
    RoleAssignment.objects.create(user=user, entity=where.entity, role="executive")
    client = APIClient()
    client.force_authenticate(user)
    return client


class TestKpis:
    def test_lists_the_definitions(self, api: APIClient) -> None:
        found = api.get("/api/v1/kpis/").json()["results"]

        assert {"otif", "line_fill_rate", "backlog_past_promise"} <= {one["code"] for one in found}
        assert all(one["definition"] for one in found)

    def test_gives_numerator_denominator_value_and_series(
        self, api: APIClient, where: World
    ) -> None:
        factories.allocated(where, (factories.product(where), "4", "25"))

        found = api.get(
            f"/api/v1/kpis/line_fill_rate/?from={TODAY}&to={TODAY}&as_of={LATER}"
        ).json()

        assert (found["numerator"], found["denominator"], found["value"]) == ("0", "1", "0")
        assert found["series"] == [
            {"date": f"{TODAY}", "numerator": "0", "denominator": "1", "value": "0"}
        ]

    def test_opens_its_rows(self, api: APIClient, where: World) -> None:
        order = factories.allocated(where, (factories.product(where), "4", "25"))

        address = f"/api/v1/kpis/line_fill_rate/rows/?from={TODAY}&to={TODAY}&as_of={LATER}"
        (row,) = api.get(address).json()["results"]
        met = api.get(f"{address}&met=true").json()["results"]

        assert (row["ref"], row["amount"], row["currency"]) == (order.number, "100", "USD")
        assert met == []

    @pytest.mark.parametrize(
        "query", ["from=soon", "from=2026-02-02&to=2026-01-01", "colour=red", "met=perhaps"]
    )
    def test_refuses_what_it_cannot_read(self, api: APIClient, query: str) -> None:
        assert api.get(f"/api/v1/kpis/otif/?{query}").status_code == 400

    def test_hides_what_is_not_there(self, api: APIClient) -> None:
        assert api.get("/api/v1/kpis/happiness/").status_code == 404
        assert api.get("/api/v1/kpis/otif/?entity=XX").status_code == 404
