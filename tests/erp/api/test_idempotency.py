"""erp/api/idempotency.py"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from erp.api.idempotency import KEPT_FOR, forget_keys
from erp.api.models import IdempotencyKey
from erp.outbox.models import InboxMessage
from tests.conftest import grant

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.erp.api.resource")]
NOTES = "/api/v1/notes/"
KEY = {"Idempotency-Key": "k-1"}


def post(client: APIClient, text: str, key: str = "k-1") -> Response:
    return client.post(NOTES, {"text": text}, headers={"Idempotency-Key": key})


class TestOncePerKey:
    def test_a_repeated_request_gets_the_first_answer(self, client_of_clerk: APIClient) -> None:
        first, again = post(client_of_clerk, "a"), post(client_of_clerk, "a")

        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json() == {"number": "a"}
        assert again["Idempotent-Replayed"] == "true"
        assert "Idempotent-Replayed" not in first
        assert InboxMessage.objects.count() == 1

    def test_the_order_of_keys_in_the_body_does_not_matter(
        self, client_of_clerk: APIClient
    ) -> None:
        bodies = [b'{"text": "a", "choice": "b"}', b'{"choice":"b","text":"a"}']

        answers = [
            client_of_clerk.post(NOTES, body, content_type="application/json", headers=KEY)
            for body in bodies
        ]

        assert [a.status_code for a in answers] == [201, 201]

    def test_another_body_is_422_and_changes_nothing(self, client_of_clerk: APIClient) -> None:
        post(client_of_clerk, "a")

        response = post(client_of_clerk, "b")

        assert (response.status_code, response.json()["code"]) == (422, "key_reused")
        assert InboxMessage.objects.get().message_id == "a"

    def test_another_address_is_422(self, client_of_clerk: APIClient) -> None:
        post(client_of_clerk, "a")

        response = client_of_clerk.patch(f"{NOTES}a/", {"text": "a"}, headers=KEY)

        assert response.status_code == 422

    def test_a_refusal_is_an_answer_without_effects(self, client_of_clerk: APIClient) -> None:
        first, again = post(client_of_clerk, "refuse"), post(client_of_clerk, "refuse")

        assert (first.status_code, again.status_code) == (409, 409)
        assert first.json() == again.json()
        assert again["Content-Type"] == "application/problem+json"
        assert not InboxMessage.objects.exists()
        assert IdempotencyKey.objects.get().status == 409

    def test_a_malformed_request_leaves_the_key_free(self, client_of_clerk: APIClient) -> None:
        first = client_of_clerk.post(NOTES, {"txt": "a"}, headers=KEY)

        assert first.status_code == 400
        assert not IdempotencyKey.objects.exists()
        assert post(client_of_clerk, "a").status_code == 201

    def test_a_bug_leaves_the_key_free(self, client_of_clerk: APIClient) -> None:
        assert post(client_of_clerk, "bug").status_code == 500
        assert not IdempotencyKey.objects.exists()
        assert post(client_of_clerk, "a").status_code == 201

    def test_users_do_not_share_keys(self, client_of_clerk: APIClient, entity: Entity) -> None:
        other = User.objects.create_user("other")
        grant(other, "accounts.view_entity", entity)
        client = APIClient()
        client.force_authenticate(other)
        post(client_of_clerk, "a")

        assert post(client, "b").status_code == 201

    @pytest.mark.parametrize("key", ["", "x" * 256, "k\x07", "schlüssel"])
    def test_a_key_is_printable_ascii(self, client_of_clerk: APIClient, key: str) -> None:
        response = post(client_of_clerk, "a", key)

        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == "Idempotency-Key"
        assert not InboxMessage.objects.exists()

    def test_a_get_needs_no_key(self, client_of_clerk: APIClient) -> None:
        assert client_of_clerk.get(NOTES, headers=KEY).status_code == 200
        assert not IdempotencyKey.objects.exists()


def test_old_answers_are_forgotten(client_of_clerk: APIClient) -> None:
    post(client_of_clerk, "a")

    assert forget_keys(before=timezone.now() - KEPT_FOR) == 0
    assert forget_keys(before=timezone.now() + timedelta(seconds=1)) == 1


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_twenty_at_once_act_once(self, clerk: User, entity: Entity) -> None:
        grant(clerk, "accounts.view_entity", entity)

        def once(_: int) -> Response:
            client = APIClient()
            client.force_authenticate(User.objects.get(pk=clerk.pk))
            try:
                return post(client, "a")
            finally:
                connection.close()

        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(once, range(20)))

        assert {a.status_code for a in answers} == {201}
        assert {a.content for a in answers} == {b'{"number":"a"}'}
        assert sum("Idempotent-Replayed" not in a for a in answers) == 1
        assert InboxMessage.objects.count() == 1
