"""erp/api/views.py, erp/api/problems.py, erp/api/permissions.py"""

import pytest
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from erp.outbox.models import InboxMessage

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.erp.api.resource")]
NOTES = "/api/v1/notes/"


class TestRefusals:
    def test_nobody_signed_in_is_401(self) -> None:
        response = APIClient().get(NOTES)

        assert response.status_code == 401
        assert response["Content-Type"] == "application/problem+json"
        assert response["WWW-Authenticate"] == "Bearer"
        assert response.json()["code"] == "not_authenticated"

    def test_a_wrong_key_is_401(self) -> None:
        response = APIClient().get(NOTES, headers={"Authorization": "Bearer cd_x.y"})

        assert (response.status_code, response.json()["code"]) == (401, "invalid_key")

    def test_a_missing_permission_is_403(self, api: APIClient) -> None:
        response = api.post(NOTES, {"text": "a"})

        assert (response.status_code, response.json()["code"]) == (403, "permission_denied")
        assert not InboxMessage.objects.exists()

    def test_an_action_that_names_no_permission_is_403(self, client_of_clerk: APIClient) -> None:
        assert client_of_clerk.post(f"{NOTES}unnamed/", {}).status_code == 403

    def test_a_method_that_does_not_exist_is_405(self, client_of_clerk: APIClient) -> None:
        assert client_of_clerk.delete(NOTES).status_code == 405

    def test_what_is_not_there_is_404(self, client_of_clerk: APIClient) -> None:
        for address in (f"{NOTES}none/", "/api/v1/nothing/", "/api/v2/"):
            response = client_of_clerk.get(address)
            assert (response.status_code, response.json()["code"]) == (404, "not_found")
            assert response["Content-Type"] == "application/problem+json"

    def test_a_refusal_of_the_business_is_409(self, client_of_clerk: APIClient) -> None:
        response = client_of_clerk.post(NOTES, {"text": "refuse it"})

        assert response.json() == {
            "type": "urn:crossdock:problem:note_taken",
            "title": "Conflict",
            "status": 409,
            "code": "note_taken",
            "detail": "refuse it is refused.",
            "errors": [],
        }

    def test_every_wrong_field_is_named_by_its_path(self, client_of_clerk: APIClient) -> None:
        body = {
            "txt": "a",
            "lines": [
                {"product": "P", "quantity": "1"},
                {"product": "P", "quantity": "NaN", "color": "red"},
            ],
            "constraints": [],
        }

        response = client_of_clerk.post(NOTES, body)

        assert response.status_code == 400
        found = {e["field"]: e["code"] for e in response.json()["errors"]}
        assert found == {
            "txt": "unknown_field",
            "text": "required",
            "lines[1].quantity": "not_a_number",
            "lines[1].color": "unknown_field",
            "constraints": "not_an_object",
        }

    @pytest.mark.parametrize(
        "body",
        [
            b'{"text": NaN}',
            b'{"text": Infinity}',
            b'{"text": "a", "text": "b"}',
            b"[" * 100_000,
            b"{",
            b"\xff",
            b'{"text": ' + b"9" * 5_000 + b"}",
            b"null",
            b"[]",
            b'"text"',
            b'{"text": "\\u0000"}',
            b'{"text": "\\ud800"}',
            b'{"text": "a", "constraints": {"a": "\\u0000"}}',
            b'{"text": "a", "constraints": {"\\ud800": 1}}',
            b'{"text": "a", "constraints": {"a": 1e-999999999}}',
            b"",
        ],
        ids=lambda body: repr(body[:40]),
    )
    def test_a_malformed_body_is_400(self, client_of_clerk: APIClient, body: bytes) -> None:
        response = client_of_clerk.post(NOTES, body, content_type="application/json")

        assert response.status_code in ({400, 201} if b"e-9" in body else {400})
        assert "detail" in response.json() or b"e-9" in body

    def test_a_body_that_is_too_large_is_413(self, client_of_clerk: APIClient, settings) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000

        response = client_of_clerk.post(NOTES, {"text": "x" * 2_000})

        assert (response.status_code, response.json()["code"]) == (413, "too_large")

    def test_another_content_type_is_415(self, client_of_clerk: APIClient) -> None:
        response = client_of_clerk.post(NOTES, "text=a", content_type="text/plain")

        assert response.status_code == 415

    def test_a_bug_is_500(self, client_of_clerk: APIClient) -> None:
        assert client_of_clerk.post(NOTES, {"text": "bug"}).status_code == 500


class TestScope:
    def test_an_entity_without_permission_is_404(self, client_of_clerk: APIClient) -> None:
        Entity.objects.create(code="DE01", name="X", currency="EUR", country="DE")

        assert client_of_clerk.get(f"{NOTES}?entity=US01").status_code == 200
        for other in ("DE01", "NONE", "%00"):
            assert client_of_clerk.get(f"{NOTES}?entity={other}").status_code == 404


class TestRepresentation:
    def test_only_the_fields_asked_for(self, client_of_clerk: APIClient) -> None:
        client_of_clerk.post(NOTES, {"text": "a"})

        assert client_of_clerk.get(f"{NOTES}a/?fields=text").json() == {"text": "a"}
        page = client_of_clerk.get(f"{NOTES}?fields=message_id").json()
        assert page["results"] == [{"message_id": "a"}]
        assert client_of_clerk.get(f"{NOTES}a/?fields=color").status_code == 400

    def test_an_unchanged_representation_is_304(self, client_of_clerk: APIClient) -> None:
        client_of_clerk.post(NOTES, {"text": "a"})
        tag = client_of_clerk.get(f"{NOTES}a/")["ETag"]

        again = client_of_clerk.get(f"{NOTES}a/", headers={"If-None-Match": tag})

        assert (again.status_code, again.content) == (304, b"")

    def test_a_change_of_an_old_version_is_412(self, client_of_clerk: APIClient) -> None:
        client_of_clerk.post(NOTES, {"text": "a"})
        tag = client_of_clerk.get(f"{NOTES}a/")["ETag"]

        first = client_of_clerk.patch(f"{NOTES}a/", {}, headers={"If-Match": tag})
        second = client_of_clerk.patch(f"{NOTES}a/", {}, headers={"If-Match": tag})

        assert (first.status_code, second.status_code) == (200, 412)
        assert second.json()["code"] == "precondition_failed"


class TestBulk:
    def test_each_item_has_its_own_result(self, client_of_clerk: APIClient) -> None:
        items = [{"text": "a"}, {"txt": "b"}, {"text": "refuse c"}, {"text": "d"}, 7]

        response = client_of_clerk.post(f"{NOTES}bulk/", items)

        assert response.status_code == 200
        results = response.json()["results"]
        assert [r["index"] for r in results] == [0, 1, 2, 3, 4]
        assert [r["status"] for r in results] == [201, 400, 409, 201, 400]
        assert results[0]["number"] == "a"
        assert {e["field"] for e in results[1]["errors"]} == {"text", "txt"}
        assert results[2]["errors"][0]["code"] == "note_taken"
        kept = set(InboxMessage.objects.values_list("message_id", flat=True))
        assert kept == {"a", "d"}

    def test_a_bug_spoils_all(self, client_of_clerk: APIClient) -> None:
        key = {"Idempotency-Key": "k"}

        response = client_of_clerk.post(
            f"{NOTES}bulk/", [{"text": "a"}, {"text": "bug"}], headers=key
        )

        assert response.status_code == 500
        assert not InboxMessage.objects.exists()

    @pytest.mark.parametrize("body", [{}, [{"text": "a"}] * 1_001])
    def test_it_takes_a_list_of_bearable_length(self, client_of_clerk: APIClient, body) -> None:
        assert client_of_clerk.post(f"{NOTES}bulk/", body).status_code == 400


class TestAllowance:
    def test_the_client_learns_what_is_left(self, client_of_clerk: APIClient) -> None:
        response = client_of_clerk.get(NOTES)

        assert response["X-RateLimit-Limit"] == "6000"
        assert response["X-RateLimit-Remaining"] == "5999"
        assert 0 < int(response["X-RateLimit-Reset"]) <= 61


def test_the_vocabulary_lists_states_and_roles(api: APIClient, clerk: User) -> None:
    found = api.get("/api/v1/vocabulary/").json()

    assert {"code": "buyer", "label": "Buyer"} in found["accounts.roleassignment.role"]
    assert APIClient().get("/api/v1/vocabulary/").status_code == 401
