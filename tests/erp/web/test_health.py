"""erp/web/health.py."""

import pytest
from django.db import connection
from django.test import Client

from erp.web.health import Schema


@pytest.fixture
def unknown_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Schema, "is_current", False)


class TestHealthz:
    def test_answers_without_asking_the_database(self, client: Client) -> None:
        response = client.get("/healthz")  # pytest-django would refuse a query here

        assert response.status_code == 200
        assert response["Cache-Control"].startswith("max-age=0, no-cache")


@pytest.mark.django_db
class TestReadyz:
    def test_is_ready_on_a_migrated_database(self, client: Client, unknown_schema: None) -> None:
        response = client.get("/readyz")

        assert response.json() == {"ready": True, "reasons": {}}
        assert response.status_code == 200

    def test_is_not_ready_while_a_migration_waits(
        self, client: Client, unknown_schema: None
    ) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")

        response = client.get("/readyz")

        assert response.status_code == 503
        assert response.json()["reasons"] == {"migrations": "1 migrations wait to be applied."}

    def test_says_that_the_broker_is_away_but_not_where_it_was(
        self, client: Client, settings: pytest.FixtureRequest
    ) -> None:
        settings.REDIS_URL = "unix:///nowhere/valkey.sock?db=0"  # type: ignore[attr-defined]

        response = client.get("/readyz")

        assert response.status_code == 503
        assert response.json()["reasons"] == {"redis": "The broker does not answer."}


class TestMetrics:
    def test_counts_requests_by_route_and_not_by_address(self, client: Client) -> None:
        client.get("/healthz")
        client.get("/no/such/page/17")

        figures = client.get("/metrics").content.decode()
        assert 'erp_http_requests_total{method="GET",route="/healthz",status="200"}' in figures
        assert "/no/such/page" not in figures

    def test_is_for_this_machine_alone(self, client: Client) -> None:
        assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 401
        assert client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 401

    def test_is_for_the_token_where_there_is_one(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("METRICS_TOKEN", "a-token")

        right = client.get(
            "/metrics", REMOTE_ADDR="192.0.2.7", headers={"Authorization": "Bearer a-token"}
        )
        wrong = client.get("/metrics", headers={"Authorization": "Bearer another"})

        assert (right.status_code, wrong.status_code) == (200, 401)


class TestRequestMiddleware:
    def test_keeps_a_well_formed_name_and_replaces_any_other(self, client: Client) -> None:
        kept = client.get("/healthz", headers={"X-Request-ID": "order-import-17"})
        replaced = client.get("/healthz", headers={"X-Request-ID": "a\tb <script>"})

        assert kept["X-Request-ID"] == "order-import-17"
        assert len(replaced["X-Request-ID"]) == 16
