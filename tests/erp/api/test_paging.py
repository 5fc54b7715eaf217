"""erp/api/paging.py, erp/api/filters.py"""

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from erp.outbox.models import InboxMessage

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.erp.api.resource")]
NOTES = "/api/v1/notes/"


@pytest.fixture
def notes(now: datetime) -> None:
    """Twenty-five notes, five at each moment."""
    InboxMessage.objects.bulk_create(
        InboxMessage(
            source="notes" if i % 2 else "letters",
            message_id=f"n{i:02}",
            received_at=now + timedelta(microseconds=i // 5),
        )
        for i in range(25)
    )


def walk(client: APIClient, url: str | None, direction: str = "next") -> list[list[str]]:
    pages = []
    while url:
        response = client.get(url)
        assert response.status_code == 200, response.content
        pages.append([row["message_id"] for row in response.json()["results"]])
        url = response.json()[direction]
    return pages


@pytest.mark.usefixtures("notes")
class TestKeysetPagination:
    @pytest.mark.parametrize("size", [1, 7, 25, 26])
    @pytest.mark.parametrize(
        "ordering", ["received_at", "-received_at", "message_id", "-message_id"]
    )
    def test_every_row_once_in_order(
        self, client_of_clerk: APIClient, size: int, ordering: str
    ) -> None:
        pages = walk(client_of_clerk, f"{NOTES}?page_size={size}&ordering={ordering}")

        seen = [name for page in pages for name in page]
        assert seen == sorted(seen, reverse=ordering.startswith("-"))
        assert len(seen) == 25
        assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)

    def test_back_again(self, client_of_clerk: APIClient) -> None:
        forth, url = [], f"{NOTES}?page_size=7"
        while url:
            body = client_of_clerk.get(url).json()
            forth.append([row["message_id"] for row in body["results"]])
            last, url = url, body["next"]

        back = walk(client_of_clerk, last, "previous")

        assert back == forth[::-1]
        assert client_of_clerk.get(f"{NOTES}?page_size=7").json()["previous"] is None

    def test_rows_that_come_and_go_shift_nothing(
        self, client_of_clerk: APIClient, now: datetime
    ) -> None:
        first = client_of_clerk.get(f"{NOTES}?page_size=10").json()
        InboxMessage.objects.create(
            source="notes", message_id="new", received_at=now + timedelta(days=1)
        )
        InboxMessage.objects.filter(message_id=first["results"][-1]["message_id"]).delete()

        second = client_of_clerk.get(first["next"]).json()

        assert second["results"][0]["message_id"] == "n14"

    def test_filters_stay_on_the_next_page(self, client_of_clerk: APIClient) -> None:
        pages = walk(client_of_clerk, f"{NOTES}?source=letters&page_size=5")

        assert [len(page) for page in pages] == [5, 5, 3]
        assert all(int(name[1:]) % 2 == 0 for page in pages for name in page)

    def test_a_page_is_one_query(
        self, client_of_clerk: APIClient, django_assert_max_num_queries
    ) -> None:
        with django_assert_max_num_queries(3):  # the user's grants, the page
            client_of_clerk.get(f"{NOTES}?page_size=5")

    def test_the_size_is_capped(self, client_of_clerk: APIClient) -> None:
        assert client_of_clerk.get(f"{NOTES}?page_size=1000000000").status_code == 200

    @pytest.mark.parametrize("size", ["0", "-1", "all", "1.5", "", "٣", "00"])
    def test_a_size_is_a_number_above_zero(self, client_of_clerk: APIClient, size: str) -> None:
        response = client_of_clerk.get(NOTES, {"page_size": size})

        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == "page_size"

    @pytest.mark.parametrize(
        "cursor",
        [
            "x",
            "",
            "W10",
            "WzBd",
            "bnVsbA",
            "é",
            "x" * 3_000,
            "WzAsbnVsbCxudWxsXQ",
            "WzAsICJcdTAwMDAiLCAxXQ",
        ],
    )
    def test_a_cursor_of_somebody_else_is_400(
        self, client_of_clerk: APIClient, cursor: str
    ) -> None:
        response = client_of_clerk.get(NOTES, {"cursor": cursor})

        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == "cursor"

    @pytest.mark.parametrize("ordering", ["user__password", "(select 1)", "id; drop", "-"])
    def test_only_what_is_allowed_orders(self, client_of_clerk: APIClient, ordering: str) -> None:
        response = client_of_clerk.get(NOTES, {"ordering": ordering})

        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == "ordering"


@pytest.mark.usefixtures("notes")
class TestStrictFilterBackend:
    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ({"source": "notes"}, 12),
            ({"source": "notes,letters"}, 25),
            ({"text": "n03"}, 1),
            ({"text": "' OR 1=1"}, 0),
            ({"after": "2026-11-22T09:30:00.000004Z"}, 5),
            ({"after": "2026-11-22T10:30:00.000004+01:00"}, 5),
            ({"after": "2026-11-23"}, 0),
            ({"number": "999999999"}, 0),
        ],
    )
    def test_narrows(self, client_of_clerk: APIClient, query: dict[str, str], count: int) -> None:
        assert len(client_of_clerk.get(NOTES, query).json()["results"]) == count

    @pytest.mark.parametrize(
        "query",
        [
            {"source": "mail"},
            {"source": ""},
            {"text": "\0"},
            {"text": "x" * 201},
            {"after": "yesterday"},
            {"after": "2026-13-01T00:00:00Z"},
            {"after": "2026-11-22T09:30:00"},
            {"number": "9" * 40},
            {"number": "-1"},
            {"number": "\uff11\uff12"},
            {"text": ["a", "b"]},
            {"color": "red"},
            {"source__startswith": "n"},
            {"_connector": "OR"},
        ],
        ids=str,
    )
    def test_names_what_it_refuses(self, client_of_clerk: APIClient, query) -> None:
        response = client_of_clerk.get(NOTES, query)

        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == next(iter(query))


@pytest.mark.usefixtures("notes")
@settings(max_examples=60, deadline=None, suppress_health_check=[*HealthCheck])
@given(
    text=st.text(max_size=30), name=st.sampled_from(["cursor", "ordering", "page_size", "after"])
)
def test_no_parameter_breaks_a_list(client_of_clerk: APIClient, text: str, name: str) -> None:
    assert client_of_clerk.get(NOTES, {name: text}).status_code in {200, 400}
