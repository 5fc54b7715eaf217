"""erp/web/middleware.py"""

import re
from collections.abc import Callable

import pytest
from django.contrib import admin
from django.contrib.messages import success
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.test import Client, override_settings
from django.urls import include, path

from erp.accounts.models import Entity, Role, User
from erp.kernel.access import signed_in
from erp.kernel.errors import DomainError

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
ClientOf = Callable[[User], Client]
Person = Callable[..., User]
done: list[str] = []


class TooLate(DomainError):
    code = "too_late"


@signed_in
def refuse(request: HttpRequest) -> HttpResponse:
    raise TooLate("It has left the dock. Ask the carrier.")


@signed_in
def save(request: HttpRequest) -> HttpResponse:
    if request.POST.get("wrong"):
        return render(request, "400.html", status=422)
    done.append(request.POST["what"])
    success(request, "Saved.")
    return redirect("/profile/")


@signed_in
def break_down(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a bug")


urlpatterns = [
    path("refuse/", refuse),
    path("save/", save),
    path("break/", break_down),
    path("admin/", admin.site.urls),
    path("", include("erp.web.urls")),
]


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    done.clear()


class TestRefusal:
    def test_is_a_page_with_the_sentence(self, person: Person, client_of: ClientOf) -> None:
        answer = client_of(person()).post("/refuse/")

        assert answer.status_code == 409
        assert "It has left the dock. Ask the carrier." in answer.content.decode()
        assert "Back to what you typed" in answer.content.decode()

    def test_stands_above_the_form_under_htmx(self, person: Person, client_of: ClientOf) -> None:
        answer = client_of(person()).post("/refuse/", headers={"HX-Request": "true"})

        assert answer.status_code == 409
        assert answer.headers["HX-Retarget"] == "#refusals"
        assert "<html" not in answer.content.decode()
        assert "It has left the dock." in answer.content.decode()

    def test_a_bug_stays_a_bug(self, person: Person, client_of: ClientOf) -> None:
        client = client_of(person())
        client.raise_request_exception = False

        answer = client.get("/break/")

        assert answer.status_code == 500
        assert "Something went wrong" in answer.content.decode()


class TestFormSentOnce:
    def test_a_second_sending_is_led_to_the_first_answer(
        self, person: Person, client_of: ClientOf
    ) -> None:
        client = client_of(person())
        form = {"what": "order", "idempotency_key": "k1"}

        answers = [client.post("/save/", form) for _ in range(3)]

        assert [a.headers["Location"] for a in answers] == ["/profile/"] * 3
        assert done == ["order"]

    def test_another_form_or_person_is_another_sending(
        self, person: Person, client_of: ClientOf
    ) -> None:
        dana, omar = client_of(person()), client_of(person(name="omar"))

        dana.post("/save/", {"what": "a", "idempotency_key": "k1"})
        dana.post("/save/", {"what": "b", "idempotency_key": "k2"})
        omar.post("/save/", {"what": "c", "idempotency_key": "k1"})

        assert done == ["a", "b", "c"]

    def test_a_form_that_was_not_accepted_may_be_sent_again(
        self, person: Person, client_of: ClientOf
    ) -> None:
        client = client_of(person())
        form = {"what": "order", "idempotency_key": "k1"}

        assert client.post("/save/", {**form, "wrong": "1"}).status_code == 422
        client.post("/save/", form)

        assert done == ["order"]

    def test_works_without_a_cache(self, person: Person, client_of: ClientOf) -> None:
        client = client_of(person())
        dead = "django.core.cache.backends.redis.RedisCache"
        with override_settings(
            CACHES={"default": {"BACKEND": dead, "LOCATION": "redis://127.0.0.1:1/0"}}
        ):
            answer = client.post("/save/", {"what": "order", "idempotency_key": "k1"})

        assert answer.headers["Location"] == "/profile/"
        assert done == ["order"]


class TestHtmx:
    def test_a_redirect_moves_the_whole_page(self, person: Person, client_of: ClientOf) -> None:
        client = client_of(person())

        answer = client.post("/save/", {"what": "x"}, headers={"HX-Request": "true"})

        assert answer.status_code == 204
        assert answer.headers["HX-Redirect"] == "/profile/"
        assert "Saved." in client.get("/profile/").content.decode()

    def test_who_is_signed_out_is_moved_to_the_login(self, client: Client) -> None:
        answer = client.get("/navigation/", headers={"HX-Request": "true"})

        assert answer.headers["HX-Redirect"].startswith("/login/")


class TestPerson:
    def test_sees_their_own_clock(self, person: Person, client_of: ClientOf) -> None:
        user = person()
        user.time_zone = "Asia/Tokyo"
        user.save()

        assert 'title="JST"' in client_of(user).get("/profile/").content.decode()

    def test_an_unknown_zone_does_not_lock_them_out(
        self, person: Person, client_of: ClientOf
    ) -> None:
        user = person()
        User.objects.filter(pk=user.pk).update(time_zone="Mars/Olympus")

        assert client_of(user).get("/profile/").status_code == 200

    def test_numbers_follow_the_entity_in_view(
        self, entity: Entity, germany: Entity, client_of: ClientOf, admin_user: User
    ) -> None:
        client = client_of(admin_user)
        assert "$18,420.00" in client.get("/styleguide/").content.decode()

        client.post("/entity/", {"entity": germany.pk})

        assert "18.420,00" in client.get("/styleguide/").content.decode()

    def test_the_next_person_in_the_thread_starts_anew(
        self,
        entity: Entity,
        germany: Entity,
        person: Person,
        client_of: ClientOf,
        admin_client: Client,
    ) -> None:
        client_of(person(Role.BUYER, germany)).get("/profile/")

        assert "$18,420.00" in admin_client.get("/styleguide/").content.decode()


class TestPolicyOfTheBrowser:
    @pytest.mark.parametrize("where", ["/login/", "/", "/profile/", "/styleguide/", "/nothing/"])
    def test_stands_on_every_page(self, admin_client: Client, where: str) -> None:
        policy = admin_client.get(where).headers["Content-Security-Policy"]

        assert "unsafe" not in policy
        assert "http" not in policy
        assert re.search(r"default-src 'self'", policy)
        assert re.search(r"frame-ancestors 'none'", policy)


@pytest.mark.urls("erp.urls")
class TestPolicyOfTheAdministration:
    def test_bends_for_its_skin_alone(self, admin_client: Client) -> None:
        policy = admin_client.get("/admin/").headers["Content-Security-Policy"]

        assert "style-src 'self' 'unsafe-inline'" in policy
        assert "default-src 'self'" in policy
