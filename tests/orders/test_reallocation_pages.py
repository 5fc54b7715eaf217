"""orders/views/_reallocations.py."""

import pytest
from django.test import Client

from erp.accounts.models import RoleAssignment, User
from orders.models import Order, Reallocation
from tests.orders import factories as make
from tests.orders.services.reallocating.worlds import held, ordered
from tests.orders.services.segmenting.test_segmenting import kept, segment

pytestmark = pytest.mark.django_db


@pytest.fixture
def planner(client: Client) -> User:
    person = make.person("p", "planner")
    client.force_login(person)
    return person


def shortage(tier: str = "C") -> tuple[Order, Order]:
    part = make.priced("10", code="PEN")
    make.stocked(part, 5)
    return ordered(part, 5, tier), ordered(part, 4, "A")


class TestWorkbench:
    def test_shows_what_is_too_little_and_who_has_it(self, planner: User, client: Client) -> None:
        early, late = shortage()

        page = client.get("/orders/workbench/")

        shown = page.content.decode()
        assert page.status_code == 200
        assert shown.index(late.number) < shown.index(early.number)  # by rank
        assert f"/lines/{make.lines_of(late)[0].pk}/take/" in shown
        assert f"/lines/{make.lines_of(early)[0].pk}/take/" not in shown
        (row,) = page.context["products"]
        assert (row.demand, row.supply, row.waiting, row.amount) == (9, 5, 4, 40)

    def test_says_so_when_there_is_enough(self, planner: User, client: Client) -> None:
        assert "There is enough" in client.get("/orders/workbench/").content.decode()

    def test_does_not_show_what_is_another_company_s(self, client: Client) -> None:
        early, late = shortage()
        client.force_login(make.person("q", "planner", make.company("DE01", "EUR")))

        shown = client.get("/orders/workbench/?product=PEN").content.decode()

        assert early.number not in shown
        line = make.lines_of(late)[0].pk
        assert client.get(f"/orders/workbench/lines/{line}/take/").status_code == 404

    def test_shares_out_from_the_simulation_to_the_end(self, planner, client: Client) -> None:
        early, late = shortage()

        made = client.post("/orders/workbench/share-out/", {"product": "PEN", "strategy_C": "fill"})
        run = Reallocation.objects.get()
        page = client.get(made.headers["Location"])
        assert (held(early), held(late)) == (5, 0)
        done = client.post(f"/orders/reallocations/{run.number}/commit/")

        assert page.status_code == 200
        assert early.number in page.content.decode()
        assert done.status_code == 302
        assert (held(early), held(late)) == (1, 4)
        assert client.get(f"/orders/reallocations/{run.number}/").status_code == 200

    def test_asks_for_the_company_where_there_are_several(
        self, planner: User, client: Client
    ) -> None:
        shortage()
        there = make.company("DE01", "EUR")
        RoleAssignment.objects.create(user=planner, entity=there, role="planner")
        mine = make.company()
        other = make.company("FR01", "EUR")

        unsaid = client.post("/orders/workbench/share-out/", {"product": "PEN"})
        theirs = client.post("/orders/workbench/share-out/", {"product": "PEN", "entity": other.pk})
        said = client.post("/orders/workbench/share-out/", {"product": "PEN", "entity": mine.pk})

        assert "Choose the company" in unsaid.content.decode()
        assert "Choose the company" in theirs.content.decode()
        assert said.status_code == 302
        assert Reallocation.objects.get().entity == mine

    def test_lets_one_go(self, planner: User, client: Client) -> None:
        early, _ = shortage()
        client.post("/orders/workbench/share-out/", {"product": "PEN"})
        run = Reallocation.objects.get()

        client.post(f"/orders/reallocations/{run.number}/discard/", {"reason": "No"})

        assert Reallocation.objects.get().state == "discarded"
        assert held(early) == 5


class TestTake:
    def test_shows_the_losers_before_anything_is_asked(self, planner, client: Client) -> None:
        early, late = shortage()
        line = make.lines_of(late)[0].pk

        page = client.get(f"/orders/workbench/lines/{line}/take/?quantity=2")

        assert page.status_code == 200
        assert early.number in page.content.decode()
        assert [(each.before, each.after) for each in page.context["losers"]] == [(5, 3)]
        assert not Reallocation.objects.exists()

    def test_says_what_is_wrong_with_a_quantity(self, planner: User, client: Client) -> None:
        _, late = shortage()
        line = make.lines_of(late)[0].pk

        for asked in ("99", "x", "-1", "NaN", "1" * 40):
            page = client.get(f"/orders/workbench/lines/{line}/take/?quantity={asked}")
            assert page.status_code == 200
        assert not Reallocation.objects.exists()

    def test_is_asked_for_and_agreed_to_by_somebody_else(self, planner, client: Client) -> None:
        early, late = shortage()
        line = make.lines_of(late)[0].pk
        asked = {"quantity": "2", "reason": "A line is down there"}
        client.post(f"/orders/workbench/lines/{line}/take/", asked)
        run = Reallocation.objects.get()
        client.force_login(make.person("lead", "operations_lead"))

        page = client.get(f"/orders/reallocations/{run.number}/")
        client.post(f"/orders/reallocations/{run.number}/agree/")

        assert page.context["may_approve"]
        assert (held(early), held(late)) == (3, 2)

    def test_takes_from_the_line_that_is_named_alone(self, planner, client: Client) -> None:
        part = make.priced("10", code="PEN")
        make.stocked(part, 9)
        first, second, late = ordered(part, 4), ordered(part, 5), ordered(part, 6, "A")
        source, line = make.lines_of(first)[0].pk, make.lines_of(late)[0].pk

        page = client.get(f"/orders/workbench/lines/{line}/take/?from={source}")

        assert [(each.line_id, each.after) for each in page.context["losers"]] == [(source, 0)]
        assert page.context["quantity_text"] == "4"  # no more than that line holds
        asked = {"quantity": "3", "from": [str(source)], "reason": "A line is down there"}
        client.post(f"/orders/workbench/lines/{line}/take/", asked)
        assert Reallocation.objects.get().taken_from == [source]
        assert held(second) == 5

    def test_says_how_much_of_it_is_kept_for_others(self, planner, client: Client) -> None:
        part = make.priced("10", code="PEN")
        late = ordered(part, 6, "A")
        segment("top")
        kept(part, "top", 3)
        make.stocked(part, 5)

        page = client.get(f"/orders/workbench/lines/{make.lines_of(late)[0].pk}/take/?quantity=4")

        assert page.context["beyond"] == 2
        assert "2 EA of it is kept for others." in page.content.decode()
