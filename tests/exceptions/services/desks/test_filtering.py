"""exceptions/services/desks/_filtering.py, and the queue that opens with them"""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from erp.accounts.models import Entity, User
from exceptions.models import SavedFilter
from exceptions.selectors import saved_filters
from exceptions.services.desks import BadFilter, forget_filter, open_with, save_filter
from tests.exceptions import factories
from tests.exceptions.factories import NOW

pytestmark = pytest.mark.django_db
QUERY = {"view": "mine", "type": "orders.shortage"}


@pytest.fixture
def lee(entity: Entity) -> User:
    return factories.person("lee", "planner")


def names(user: User) -> list[str]:
    return [one.name for one in saved_filters(user=user, now=NOW)]


class TestSaveFilter:
    def test_keeps_what_the_queue_knows_and_takes_the_place_of_its_name(self, lee: User) -> None:
        save_filter(name="Mine", query=QUERY | {"csrf": "x", "q": ""}, actor=lee, now=NOW)
        save_filter(name=" Mine ", query={"severity": "1"}, actor=lee, now=NOW)

        (found,) = saved_filters(user=lee, now=NOW)

        assert (found.name, found.query) == ("Mine", {"severity": "1"})
        assert found.address == f"severity=1&saved={found.id}"

    def test_shares_with_who_has_the_role_there_and_nobody_else(
        self, entity: Entity, lee: User
    ) -> None:
        ann, cora = factories.person("ann", "planner"), factories.person("cora", "credit")
        far = factories.person("far", "planner", entity=factories.company("DE01"))
        shared = (entity.pk, "planner")
        made = save_filter(name="Short", query=QUERY, actor=lee, now=NOW, shared_with=shared)

        assert [names(one) for one in (ann, cora, far)] == [["Short"], [], []]
        assert forget_filter(filter_id=made.pk, actor=ann) is False
        assert forget_filter(filter_id=made.pk, actor=lee) is True
        assert not SavedFilter.objects.exists()

    @pytest.mark.parametrize(
        ("field", "values"),
        [
            ("name", {"name": " "}), ("name", {"name": "x" * 61}), ("query", {"query": {}}),
            ("role", {"shared_with": "credit"}),
        ],
    )  # fmt: skip
    def test_refuses_what_is_none(
        self, entity: Entity, lee: User, field: str, values: dict[str, Any]
    ) -> None:
        asked = {"name": "A", "query": QUERY, "shared_with": None} | values
        if asked["shared_with"]:
            asked["shared_with"] = (entity.pk, asked["shared_with"])
        with pytest.raises(BadFilter) as refusal:
            save_filter(**asked, actor=lee, now=NOW)

        assert refusal.value.errors[0]["field"] == field
        assert not SavedFilter.objects.exists()


class TestQueuePage:
    def test_opens_with_the_default_and_shows_everything_on_demand(
        self, client: Client, lee: User
    ) -> None:
        client.force_login(lee)
        url, keep = reverse("exceptions:queue"), reverse("exceptions:filters")
        sent = client.post(keep, {"act": "save", "name": "Worst", "severity": "1", "share": ""})
        (made,) = saved_filters(user=lee, now=NOW)
        assert sent["Location"] == f"{url}?severity=1&saved={made.id}"
        assert client.get(url).status_code == 200

        client.post(keep, {"act": "open_with", "filter": str(made.id)})

        assert client.get(url)["Location"] == f"{url}?severity=1&saved={made.id}"
        shown = client.get(url, {"view": "all"}).content.decode()
        assert "Worst" in shown
        assert 'data-key="v"' in shown
        assert 'data-key="s"' in shown
        client.post(keep, {"act": "open_with", "filter": ""})
        assert client.get(url).status_code == 200

    def test_opens_with_no_filter_of_somebody_else(self, client: Client, lee: User) -> None:
        made = save_filter(
            name="Mine", query=QUERY, actor=factories.person("ann", "planner"), now=NOW
        )
        client.force_login(lee)

        keep = reverse("exceptions:filters")

        sent = client.post(keep, {"act": "open_with", "filter": str(made.pk)})
        assert sent.status_code == 404
        with pytest.raises(SavedFilter.DoesNotExist):
            open_with(filter_id=made.pk, actor=lee, now=NOW)
