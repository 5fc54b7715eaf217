"""erp/kernel/access.py, erp/kernel/breaker.py"""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from erp.accounts.models import Entity, User
from erp.kernel.access import public, requires, signed_in
from erp.kernel.breaker import Breaker
from tests.conftest import grant

VIEW = "accounts.view_entity"


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("seen")


def request_of(user: User | AnonymousUser) -> HttpRequest:
    request = RequestFactory().get("/page/")
    request.user = user
    return request


class TestRequires:
    guarded = staticmethod(requires(VIEW)(page))

    def test_names_its_permission(self) -> None:
        assert self.guarded.required_permission == VIEW

    def test_sends_strangers_to_sign_in(self) -> None:
        response = self.guarded(request_of(AnonymousUser()))

        assert response.status_code == 302
        assert response["Location"].startswith("/login/")

    def test_refuses_whoever_lacks_it(self, clerk: User) -> None:
        with pytest.raises(PermissionDenied):
            self.guarded(request_of(clerk))

    def test_lets_in_whoever_holds_it_somewhere(self, clerk: User, entity: Entity) -> None:
        grant(clerk, VIEW, entity)

        assert self.guarded(request_of(clerk)).content == b"seen"


def test_a_page_may_be_for_all_who_are_signed_in(clerk: User) -> None:
    view = signed_in(page)

    assert view(request_of(clerk)).status_code == 200
    assert view(request_of(AnonymousUser())).status_code == 302
    assert view.required_permission == ""


def test_a_page_may_be_for_all() -> None:
    view = public(page)

    assert view(request_of(AnonymousUser())).status_code == 200
    assert view.required_permission == ""


class TestBreaker:
    def test_leaves_what_failed_alone_for_a_while(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = [100.0]
        monkeypatch.setattr("erp.kernel.breaker.time.monotonic", lambda: clock[0])
        breaker, calls = Breaker("a test", rest_seconds=5), []

        def fail() -> str:
            calls.append(clock[0])
            raise TimeoutError

        assert breaker.attempt(lambda: "answer", "none") == "answer"
        for clock[0] in (100.0, 102.0, 104.9, 105.1):
            assert breaker.attempt(fail, "none") == "none"
        breaker.reset()

        assert calls == [100.0, 105.1]
        assert breaker.attempt(lambda: "answer", "none") == "answer"
