from decimal import Decimal

import pytest
from django.test import Client

from erp.accounts.models import Entity, User
from inventory import permissions
from inventory.models import ProductUom
from tests.conftest import grant
from tests.inventory.factories import company, demand, node, planned, product, reserved, stocked

pytestmark = pytest.mark.django_db


@pytest.fixture
def pages(clerk: User, entity: Entity, client: Client) -> Client:
    for permission in permissions.GRANTS:
        grant(clerk, permission, entity)
    client.force_login(clerk)
    return client


def read(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return answer.content.decode()


class TestStock:
    def test_lists_what_the_persons_companies_own(self, pages: Client) -> None:
        stocked(product("PEN"), 1234)
        stocked(product("INK"), 5, entity=company("DE01", "EUR"))
        text = read(pages, "/inventory/stock/")
        assert "PEN" in text
        assert "1,234" in text
        assert "INK" not in text

    def test_narrows(self, pages: Client) -> None:
        stocked(product("PEN"), 5, node=node("A"))
        stocked(product("INK"), 5, node=node("B"))
        assert "INK" not in read(pages, "/inventory/stock/?node=A")
        assert "PEN" not in read(pages, "/inventory/stock/?q=in")
        assert "PEN" not in read(pages, "/inventory/stock/?shown=empty")

    def test_pages_by_key(self, pages: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("inventory.views._stock.PAGE", 1)
        stocked(product("P-1"), 5)
        stocked(product("P-2"), 5)
        answer = pages.get("/inventory/stock/")
        cursor = answer.context["next_cursor"]
        assert [row.product for row in answer.context["rows"]] == ["P-1"]
        second = pages.get("/inventory/stock/", {"after": cursor})
        assert [row.product for row in second.context["rows"]] == ["P-2"]
        assert second.context["next_cursor"] == ""

    @pytest.mark.parametrize("after", ["x", "9:", ":", "1:\0", "\uff19:PEN", "-1:PEN", "1" * 40])
    def test_a_strange_cursor_is_no_error(self, pages: Client, after: str) -> None:
        answer = pages.get("/inventory/stock/", {"after": after, "q": "a\0b", "node": "\0"})
        assert answer.status_code == 200

    def test_needs_its_permission(self, client: Client, clerk: User) -> None:
        client.force_login(clerk)
        read(client, "/inventory/stock/", 403)

    def test_a_page_takes_few_queries(self, pages: Client, django_assert_max_num_queries) -> None:
        for _ in range(30):
            stocked(product(), 5)
        with django_assert_max_num_queries(12):
            read(pages, "/inventory/stock/")


class TestProduct:
    def test_shows_where_it_lies_and_for_whom(self, pages: Client) -> None:
        pen = product("PEN", name="Ballpoint", weight=Decimal("0.01"))
        ProductUom.objects.create(product=pen, code="BOX", numerator=12)
        stocked(pen, 10)
        (shipment,) = planned([demand(pen, 4, label="SO-77")])
        reserved(demand(pen, 9, label="SO-78"))
        text = read(pages, "/inventory/products/PEN/")
        for each in ("Ballpoint", "BOX", "SO-77", shipment.number, "3 more of PEN at DC-A"):
            assert each in text

    def test_shows_no_other_companys_stock(self, pages: Client) -> None:
        pen = product("PEN")
        stocked(pen, 777, entity=company("DE01", "EUR"))
        reserved(demand(pen, 4, entity_id=company("DE01").pk, label="SO-66"))
        text = read(pages, "/inventory/products/PEN/")
        assert "777" not in text
        assert "SO-66" not in text

    def test_what_is_not_there(self, pages: Client) -> None:
        read(pages, "/inventory/products/NONE/", 404)
        read(pages, "/inventory/products/%00/", 404)

    def test_list(self, pages: Client) -> None:
        product("PEN")
        product("OLD", is_blocked=True)
        assert "OLD" not in read(pages, "/inventory/products/?shown=sold")
        assert "PEN" not in read(pages, "/inventory/products/?q=ol")

    def test_moves(self, pages: Client) -> None:
        stocked(product("PEN"), 5, node=node("A"))
        text = read(pages, "/inventory/products/PEN/moves/?after=99999999999999999999&node=A")
        assert "opening" in text
        assert "opening" not in read(pages, "/inventory/products/PEN/moves/?node=B")


class TestAllocation:
    def test_says_why_a_line_got_what_it_got(self, pages: Client) -> None:
        pen = product("PEN")
        stocked(pen, 3, node=node("A"))
        run = reserved(demand(pen, 5, label="SO-77"), demand(pen, 1, priority=90)).run_id
        assert f"A-{run}" in read(pages, "/inventory/allocation/?shown=short")
        text = read(pages, f"/inventory/allocation/{run}/")
        for each in ("SO-77", "2 more of PEN at A", "Lines before it took what was free"):
            assert each in text

    def test_shows_only_what_fell_short(self, pages: Client) -> None:
        pen = product("PEN")
        stocked(pen, 5)
        run = reserved(demand(pen, 5, label="SO-77"), demand(pen, 1, label="SO-78", priority=90))
        text = read(pages, f"/inventory/allocation/{run.run_id}/?shown=short")
        assert "SO-78" in text
        assert "SO-77" not in text

    def test_of_another_company_is_not_there(self, pages: Client) -> None:
        run = reserved(demand(product("PEN"), 5, entity_id=company("DE01", "EUR").pk)).run_id
        assert f"A-{run}" not in read(pages, "/inventory/allocation/")
        read(pages, f"/inventory/allocation/{run}/", 404)
        read(pages, "/inventory/allocation/99999999999999999999/", 404)


class TestFinder:
    def test_shows_the_ways_and_narrows_to_who_may_see(self, pages: Client) -> None:
        stocked(product("PEN"), 6, node=node("A"))
        stocked(product("PEN"), 5, node=node("B"))
        text = read(
            pages, f"/inventory/availability/?entity={company().pk}&product=PEN&quantity=10"
        )
        assert "Split" in text
        assert "6 A, 4 B" in text
        other = company("DE01", "EUR")
        read(pages, f"/inventory/availability/?entity={other.pk}&product=PEN&quantity=1", 422)

    def test_names_what_is_wrong(self, pages: Client) -> None:
        asked = f"entity={company().pk}&product=NO&quantity=0&node=X"
        text = read(pages, f"/inventory/availability/?{asked}", 422)
        assert "There is no such product." in text
        assert "There is no such node." in text
        assert "Ask for more than nothing." in text
        read(pages, "/inventory/availability/")


class TestProjection:
    def test_draws_what_is_there_with_its_table(self, pages: Client) -> None:
        stocked(product("PEN"), 1234, node=node("A"))
        text = read(pages, "/inventory/products/PEN/projection/")
        assert "<svg" in text
        assert "1,234" in text
        read(pages, "/inventory/products/PEN/projection/?at=US01/A")
        read(pages, "/inventory/products/NONE/projection/", 404)

    def test_of_what_is_nowhere_says_so(self, pages: Client) -> None:
        product("PEN")
        assert "Nothing of it is there" in read(pages, "/inventory/products/PEN/projection/")
