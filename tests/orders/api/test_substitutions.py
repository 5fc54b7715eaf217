"""orders/api/views/_substitutions.py, and what orders and customers insist on over REST."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from erp.accounts.models import User
from inventory import permissions as inventory_permissions
from inventory.models import Substitute
from orders import permissions
from orders.models import Order, ServingTerms, Substitution
from tests.conftest import grant
from tests.orders import factories as make
from tests.orders.services.test_exchanging import by_position, paired

pytestmark = pytest.mark.django_db
ALL = [
    permissions.VIEW,
    permissions.SUBMIT,
    permissions.VIEW_CUSTOMER,
    permissions.CHANGE_CUSTOMER,
    inventory_permissions.VIEW_PRODUCT,
    inventory_permissions.CHANGE_PRODUCT,
]


@pytest.fixture
def desk(clerk: User) -> User:
    for permission in ALL:
        grant(clerk, permission, make.company())
    return clerk


def asked(quantity: int = 4) -> Substitution:
    part, other = make.priced("10", "OLD"), make.priced("8", "NEW")
    make.stocked(other, 9)
    paired(part, other, consent="ask")
    make.allocated(make.account(), make.line(part, quantity))
    return Substitution.objects.get()


@pytest.mark.usefixtures("desk")
class TestSubstitutions:
    def test_lists_what_is_to_be_asked(self, api: APIClient) -> None:
        found = asked()

        answer = api.get("/api/v1/substitutions/?state=proposed")

        (row,) = answer.json()["results"]
        assert (row["order"], row["line"], row["product"], row["other"]) == (
            found.line.order.number,
            1,
            "OLD",
            "NEW",
        )
        assert (row["quantity"], row["unit_price"], row["state"]) == (
            "4.000",
            "10.0000",
            "proposed",
        )

    def test_takes_a_yes(self, api: APIClient) -> None:
        found = asked()

        answer = api.post(
            f"/api/v1/substitutions/{found.pk}/accept/", {"answer": "Mr Fox"}, format="json"
        )

        assert (answer.status_code, answer.json()["state"]) == (200, "accepted")
        order = api.get(f"/api/v1/orders/{found.line.order.number}/").json()
        assert [line["instead_of"] for line in order["lines"]] == [None, 1]
        assert order["lines"][1]["replaces"] == "4.000"

    def test_takes_a_no_and_then_refuses_a_yes(self, api: APIClient) -> None:
        found = asked()
        url = f"/api/v1/substitutions/{found.pk}/"

        assert api.post(f"{url}decline/", {}, format="json").json()["state"] == "declined"
        again = api.post(f"{url}accept/", {}, format="json")

        assert (again.status_code, again.json()["code"]) == (409, "answered_otherwise")

    def test_another_entity_s_is_not_there(self, api: APIClient) -> None:
        found = asked()
        type(found).objects.update(entity=make.company("DE01", "EUR"))

        answer = api.post(f"/api/v1/substitutions/{found.pk}/accept/", {}, format="json")

        assert answer.status_code == 404
        assert api.get("/api/v1/substitutions/").json()["results"] == []


@pytest.mark.usefixtures("desk")
class TestSubstitutes:
    def test_are_kept_listed_and_forgotten(self, api: APIClient) -> None:
        make.product("OLD"), make.product("NEW")
        body = {"product": "OLD", "other": "NEW", "units": 3, "per": 2, "consent": "always"}

        made = api.post("/api/v1/substitutes/", body, format="json")

        assert made.status_code == 201, made.json()
        (row,) = api.get("/api/v1/substitutes/?product=OLD").json()["results"]
        assert row == made.json()
        assert (row["units"], row["per"], row["price_rule"]) == (3, 2, "original")
        assert api.delete(f"/api/v1/substitutes/{row['id']}/").status_code == 204
        assert not Substitute.objects.exists()

    def test_says_which_field_is_wrong(self, api: APIClient) -> None:
        make.product("OLD")

        answer = api.post("/api/v1/substitutes/", {"product": "OLD", "other": "OLD"}, format="json")

        assert answer.status_code in {400, 409}
        assert answer.json()["errors"][0]["field"] == "other"


@pytest.mark.usefixtures("desk")
class TestInsisting:
    def test_an_order_says_where_it_leaves_from(self, api: APIClient) -> None:
        on, part = make.account(make.customer("ACME")), make.priced("10", "OLD")
        make.node("DC-A")
        assert on.pk
        body = {
            "entity": "US01",
            "customer": "ACME",
            "constraints": {
                "ship_complete": True,
                "max_nodes": 2,
                "nodes": ["DC-A"],
                "countries": ["us"],
                "soft": ["places"],
            },
            "lines": [{"product": part.code, "quantity": "2", "min_shelf_days": 30}],
        }

        made = api.post("/api/v1/orders/", body, format="json")

        assert made.status_code == 201, made.json()
        said = made.json()["constraints"]
        assert (said["ship_complete"], said["max_nodes"]) == (True, 2)
        assert (said["nodes"], said["countries"], said["soft"]) == (["DC-A"], ["US"], ["places"])
        assert made.json()["lines"][0]["min_shelf_days"] == 30

    def test_an_unknown_node_is_refused_and_nothing_is_made(self, api: APIClient) -> None:
        on, part = make.account(make.customer("ACME")), make.priced("10", "OLD")
        assert on.pk
        body = {
            "entity": "US01",
            "customer": "ACME",
            "constraints": {"nodes": ["NOWHERE"]},
            "lines": [{"product": part.code, "quantity": "2"}],
        }

        made = api.post("/api/v1/orders/", body, format="json")

        assert made.status_code in {400, 409}
        assert not Order.objects.exists()

    def test_an_order_that_is_served_is_served_anew(self, api: APIClient) -> None:
        part = make.priced("10", "OLD")
        make.stocked(part, 9, node=make.node("HERE"))
        make.stocked(part, 5, node=make.node("THERE"))
        order = make.allocated(make.account(), make.line(part, 3))
        body = {"constraints": {"nodes": ["THERE"]}}

        answer = api.patch(f"/api/v1/orders/{order.number}/", body, format="json")

        assert answer.status_code == 200, answer.json()
        assert answer.json()["constraints"]["nodes"] == ["THERE"]
        assert make.lines_of(order)[0].reserved == 3

    def test_a_customer_says_it_once_for_all_orders(self, api: APIClient) -> None:
        on = make.account(make.customer("ACME"))
        body = {"constraints": {"min_shelf_days": 60, "substitutes": "always"}}

        answer = api.patch("/api/v1/customers/ACME/", body, format="json")

        assert answer.status_code == 200, answer.json()
        assert answer.json()["constraints"]["min_shelf_days"] == 60
        kept = ServingTerms.objects.get(customer=on.customer)
        assert (kept.min_shelf_days, kept.substitutes) == (60, "always")
        cleared = {"constraints": {"min_shelf_days": None}}
        api.patch("/api/v1/customers/ACME/", cleared, format="json")
        kept.refresh_from_db()
        assert kept.min_shelf_days is None


class TestPage:
    def test_shows_what_is_to_be_asked_and_takes_the_answer(self, client: Client) -> None:
        client.force_login(make.person("d", "order_desk"))
        found = asked()

        page = client.get("/orders/substitutions/")
        done = client.post(
            f"/orders/substitutions/{found.pk}/accept/", {"reason": "Mr Fox"}, follow=True
        )

        assert page.status_code == 200
        assert "NEW" in page.content.decode()
        assert done.status_code == 200
        assert len(by_position(found.line.order)) == 2

    def test_who_may_not_submit_may_not_answer(self, client: Client) -> None:
        client.force_login(make.person("w", "warehouse"))
        found = asked()

        answer = client.post(f"/orders/substitutions/{found.pk}/accept/", {"reason": "x"})

        assert answer.status_code == 403
        assert Substitution.objects.get().state == "proposed"

    def test_the_order_shows_what_goes_out_for_which_line(self, client: Client) -> None:
        client.force_login(make.person("d", "order_desk"))
        part, other = make.priced("10", "OLD"), make.priced("8", "NEW")
        make.stocked(other, 9)
        paired(part, other)
        order = make.allocated(make.account(), make.line(part, 4))

        shown = client.get(f"/orders/{order.number}/").content.decode()

        assert "instead of OLD" in shown
