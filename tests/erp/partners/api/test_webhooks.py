"""erp/partners/api/views.py and the pages: webhooks"""

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from erp.partners.models import Webhook, WebhookDelivery
from tests.exceptions import factories

pytestmark = pytest.mark.django_db
URL = "/api/v1/webhooks/"


@pytest.fixture
def admin(db: None) -> User:
    factories.policies()
    return factories.person("ada", "administrator")


@pytest.fixture
def api(admin: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(admin)
    return client


def made(api: APIClient) -> dict[str, object]:
    body = {"entity": "US01", "name": "Pager", "url": "https://example.com/hook"}
    answer = api.post(URL, body, format="json")
    assert answer.status_code == 201
    return dict(answer.json())


def test_is_made_with_a_secret_that_is_told_once(api: APIClient) -> None:
    first = made(api)

    shown = api.get(f"{URL}{first['id']}/").json()
    rotated = api.post(f"{URL}{first['id']}/rotate-secret/", {}, format="json").json()

    assert str(first["secret"]).startswith("whsec_")
    assert "secret" not in shown
    assert rotated["secret"] != first["secret"]
    assert rotated["former_until"] is not None


def test_refuses_an_address_inside_by_its_field(api: APIClient) -> None:
    body = {"entity": "US01", "name": "Pager", "url": "https://169.254.169.254/latest"}
    refused = api.post(URL, body, format="json")

    assert refused.status_code == 409
    assert "url" in refused.content.decode()
    assert not Webhook.objects.exists()


def test_is_tested_paused_and_replayed(api: APIClient) -> None:
    pk = made(api)["id"]
    sent = api.post(f"{URL}{pk}/test/", {}, format="json")
    WebhookDelivery.objects.update(state="dead", settled_at=factories.NOW)

    told = api.get(f"{URL}{pk}/deliveries/").json()
    again = api.post(f"{URL}{pk}/replay/", {"deliveries": [told[0]["id"]]}, format="json")
    paused = api.post(f"{URL}{pk}/pause/", {"paused": True}, format="json").json()

    assert (sent.status_code, told[0]["event"], told[0]["state"]) == (202, "webhook.test", "dead")
    assert again.json() == {"replayed": [told[0]["id"]]}
    assert WebhookDelivery.objects.get().state == "pending"
    assert paused["paused_at"] is not None
    assert api.post(f"{URL}{pk}/replay/", {}, format="json").status_code == 400


def test_is_nobody_s_who_may_not_and_no_other_entity_s(api: APIClient) -> None:
    pk = made(api)["id"]
    lee, far = APIClient(), APIClient()
    lee.force_authenticate(factories.person("lee", "planner"))
    other: Entity = factories.company("DE01")
    far.force_authenticate(factories.person("far", "administrator", entity=other))

    assert lee.get(URL).status_code == 403
    assert far.get(URL).json()["results"] == []
    assert far.get(f"{URL}{pk}/").status_code == 404
    assert far.post(f"{URL}{pk}/rotate-secret/", {}, format="json").status_code == 404


def test_pages_show_the_secret_once_and_what_was_told(client: Client, admin: User) -> None:
    client.force_login(admin)
    body = {"entity": "US01", "name": "Pager", "url": "https://example.com/hook"}
    first = client.post(reverse("partners:add_webhook"), body).content.decode()
    found = Webhook.objects.get()
    client.post(reverse("partners:act_on_webhook", args=[found.pk]), {"act": "test"})

    listed = client.get(reverse("partners:webhooks")).content.decode()
    shown = client.get(reverse("partners:webhook", args=[found.pk])).content.decode()

    assert found.secret in first
    assert found.secret not in listed + shown
    assert "webhook.test" in shown
    refused = client.post(reverse("partners:add_webhook"), body)
    assert refused.status_code == 409
