"""erp/api/throttles.py"""

import pytest
from django.core.cache import cache
from rest_framework.settings import api_settings
from rest_framework.test import APIClient

from erp.accounts.models import User
from erp.api import throttles
from erp.api.throttles import parsed_rate

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.erp.api.resource")]
NOTES = "/api/v1/notes/"


@pytest.fixture
def two_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(api_settings.DEFAULT_THROTTLE_RATES, "client", "2/min")
    monkeypatch.setattr(throttles.time, "time", lambda: 1_800_000_010.0)


@pytest.mark.usefixtures("two_a_minute")
class TestClientThrottle:
    def test_the_third_request_is_429(self, client_of_clerk: APIClient) -> None:
        answers = [client_of_clerk.get(NOTES) for _ in range(3)]

        assert [a.status_code for a in answers] == [200, 200, 429]
        assert [a["X-RateLimit-Remaining"] for a in answers] == ["1", "0", "0"]
        assert int(answers[2]["Retry-After"]) >= 50
        assert answers[2].json()["code"] == "throttled"

    def test_the_next_minute_begins_anew(
        self, client_of_clerk: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(3):
            client_of_clerk.get(NOTES)
        monkeypatch.setattr(throttles.time, "time", lambda: 1_800_000_070.0)

        assert client_of_clerk.get(NOTES).status_code == 200

    def test_one_client_does_not_use_up_another(self, client_of_clerk: APIClient) -> None:
        for _ in range(3):
            client_of_clerk.get(NOTES)
        other = APIClient()
        other.force_authenticate(User.objects.create_user("other"))

        assert other.get(NOTES).status_code == 403

    def test_a_cache_that_is_down_refuses_nobody(
        self, client_of_clerk: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*args: object, **more: object) -> None:
            raise ConnectionError

        monkeypatch.setattr(type(cache._connections["default"]), "add", fail)
        try:
            assert [client_of_clerk.get(NOTES).status_code for _ in range(4)] == [200] * 4
        finally:
            throttles.breaker.reset()


@pytest.mark.parametrize(
    ("rate", "expected"), [("6000/min", (6_000, 60)), ("5/s", (5, 1)), ("9/hour", (9, 3_600))]
)
def test_parsed_rate(rate: str, expected: tuple[int, int]) -> None:
    assert parsed_rate(rate) == expected
