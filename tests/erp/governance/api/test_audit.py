"""erp/governance/api/audit.py: the trail read, taken away and proved over REST."""

import json

import pytest
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from erp.governance.services import Change, Personal, record, seal_audit
from tests.conftest import NOW, grant

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _trail(entity: Entity, clerk: User) -> None:
    other = Entity.objects.create(code="DE01", name="D", currency="EUR", country="DE")
    boss = User.objects.create_user("boss")
    grant(clerk, "governance.view_auditentry", entity)
    after = {"email": Personal("orders.customer:1", "jane@example.com"), "tier": "A"}
    changes = [
        Change(each.pk, "=test.change", "orders.customer", 1, "orders.customer:1", after=after)
        for each in (entity, other)
    ]
    record(changes=changes, actor=clerk, now=NOW, on_behalf_of=boss)
    seal_audit(now=NOW)


class TestAudit:
    def test_lists_what_changed_in_the_clear(self, api: APIClient) -> None:
        (entry,) = api.get("/api/v1/audit/?action=%3Dtest.change").json()["results"]

        assert entry["after"] == {"email": "jane@example.com", "tier": "A"}
        assert (entry["actor"], entry["on_behalf_of"]) == ("clerk", "boss")

    def test_proves_the_chain_and_finds_the_kept_heads(self, api: APIClient) -> None:
        heads = api.get("/api/v1/audit/heads/").json()["heads"]

        whole = api.post("/api/v1/audit/verify/", {"heads": heads}, format="json")
        heads[-1]["head"] = "0" * 64
        anew = api.post("/api/v1/audit/verify/", {"heads": heads}, format="json").json()

        assert whole.status_code == 200
        assert whole.json()["is_whole"]
        assert "DE01" not in {head["chain"] for head in whole.json()["heads"]}
        assert not anew["is_whole"]
        assert anew["broken"][0]["kind"] == "not the head that was kept"

    def test_streams_lines_of_the_own_entities(self, api: APIClient) -> None:
        answer = api.get("/api/v1/audit/export/?thread=orders.customer:1")

        lines = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]

        assert [(line["entity_code"], line["after"]["tier"]) for line in lines] == [("US01", "A")]

    def test_is_for_who_may_see_it(self, entity: Entity) -> None:
        stranger = APIClient()
        stranger.force_authenticate(User.objects.create_user("stranger"))

        for method, path in (("get", "heads"), ("post", "verify"), ("get", "export")):
            assert getattr(stranger, method)(f"/api/v1/audit/{path}/").status_code == 403
