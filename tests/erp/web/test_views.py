"""erp/web/views.py"""

from collections.abc import Callable

import pytest
from django.test import Client, override_settings

from erp.accounts.models import Entity, Role, User
from erp.web.lockout import LOCKED_MINUTES, TRIES_MAX
from tests.erp.web.conftest import PASSWORD

pytestmark = pytest.mark.django_db
Person = Callable[..., User]
ClientOf = Callable[[User], Client]


def try_password(client: Client, password: str, name: str = "dana", **more: str) -> int:
    return client.post("/login/", {"username": name, "password": password}, **more).status_code


class TestSignIn:
    def test_lets_a_person_in_and_on_to_where_they_wanted(
        self, client: Client, person: Person
    ) -> None:
        person()

        answer = client.post(
            "/login/", {"username": "dana", "password": PASSWORD, "next": "/profile/"}
        )

        assert answer.headers["Location"] == "/profile/"
        assert client.get("/profile/").status_code == 200

    @pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "javascript:x"])
    def test_leads_nobody_away(self, client: Client, person: Person, wanted: str) -> None:
        person()

        answer = client.post("/login/", {"username": "dana", "password": PASSWORD, "next": wanted})

        assert answer.headers["Location"] == "/"

    def test_says_the_same_for_a_wrong_name_and_a_wrong_password(
        self, client: Client, person: Person
    ) -> None:
        person()

        wrong = client.post("/login/", {"username": "dana", "password": "x"})
        unknown = client.post("/login/", {"username": "nobody", "password": "x"})

        assert wrong.status_code == unknown.status_code == 422
        assert "do not match" in wrong.content.decode()
        assert "do not match" in unknown.content.decode()

    def test_rests_after_five_bad_tries_even_for_the_right_password(
        self, client: Client, person: Person
    ) -> None:
        person()

        answers = [try_password(client, "wrong") for _ in range(TRIES_MAX)]
        locked = client.post("/login/", {"username": "Dana", "password": PASSWORD})

        assert answers == [422, 422, 422, 422, 429]
        assert locked.status_code == 429
        assert f"{LOCKED_MINUTES} minutes" in locked.content.decode()
        assert "_auth_user_id" not in client.session

    def test_locks_one_account_at_one_address_only(self, client: Client, person: Person) -> None:
        person()
        person(name="omar")
        for _ in range(TRIES_MAX):
            try_password(client, "wrong")

        assert try_password(client, PASSWORD, REMOTE_ADDR="10.0.0.9") == 302
        client.logout()
        assert try_password(client, PASSWORD, name="omar") == 302

    def test_forgets_bad_tries_after_a_good_one(self, client: Client, person: Person) -> None:
        person()
        for _ in range(TRIES_MAX - 1):
            try_password(client, "wrong")
        assert try_password(client, PASSWORD) == 302
        client.logout()

        answers = [try_password(client, "wrong") for _ in range(TRIES_MAX - 1)]

        assert answers == [422] * (TRIES_MAX - 1)

    def test_still_counts_without_a_cache(self, client: Client, person: Person) -> None:
        person()
        dead = "django.core.cache.backends.redis.RedisCache"
        with override_settings(
            CACHES={"default": {"BACKEND": dead, "LOCATION": "redis://127.0.0.1:1/0"}}
        ):
            answers = [try_password(client, "wrong") for _ in range(TRIES_MAX)]
            answers.append(try_password(client, PASSWORD))

        assert answers == [422, 422, 422, 422, 429, 429]

    def test_an_inactive_person_stays_out(self, client: Client, person: Person) -> None:
        user = person()
        user.is_active = False
        user.save()

        assert try_password(client, PASSWORD) == 422

    def test_a_name_with_a_null_byte_is_refused_with_a_sentence(self, client: Client) -> None:
        assert try_password(client, "x", name="da\x00na") == 422

    def test_the_administration_has_no_other_door(self, client: Client, person: Person) -> None:
        assert client.get("/admin/").status_code == 302
        assert (
            client.post("/admin/login/", {"username": "x", "password": "y"})
            .headers["Location"]
            .startswith("/login/?next=")
        )
        client.force_login(person())
        assert client.get("/admin/login/").status_code == 403


class TestSignOut:
    def test_ends_the_session(self, client: Client, person: Person) -> None:
        client.force_login(person())

        assert client.post("/logout/").headers["Location"] == "/login/"
        assert client.get("/").status_code == 302

    def test_is_not_done_by_a_link(self, client: Client) -> None:
        assert client.get("/logout/").status_code == 405


class TestHome:
    def test_shows_the_lists_of_the_role(
        self, entity: Entity, person: Person, client_of: ClientOf
    ) -> None:
        page = client_of(person(Role.BUYER, entity)).get("/").content.decode()

        assert "Nothing needs to be bought." in page
        assert "Every customer has paid" not in page
        assert "Buyer" in page

    def test_says_what_to_do_without_a_role(self, person: Person, client_of: ClientOf) -> None:
        assert "Ask an administrator" in client_of(person()).get("/").content.decode()

    def test_asks_who_is_there(self, client: Client) -> None:
        assert client.get("/").headers["Location"] == "/login/?next=/"

    def test_reads_within_its_budget(
        self,
        entity: Entity,
        person: Person,
        client_of: ClientOf,
        django_assert_max_num_queries: Callable[..., object],
    ) -> None:
        client = client_of(person(Role.OPERATIONS_LEAD, entity))

        with django_assert_max_num_queries(20):
            client.get("/")


class TestSearch:
    def test_finds_pages_by_a_part_of_their_name(self, person: Person, client_of: ClientOf) -> None:
        answer = client_of(person()).get("/search/?q=my", headers={"X-Palette": "1"})

        assert "My day" in answer.content.decode()
        assert "<html" not in answer.content.decode()

    def test_says_when_nothing_is_found(self, person: Person, client_of: ClientOf) -> None:
        answer = client_of(person()).get(
            "/search/", {"q": "<b>zzz</b>"}, headers={"X-Palette": "1"}
        )

        assert "Nothing found for “&lt;b&gt;zzz" in answer.content.decode()

    @pytest.mark.parametrize("text", ["", "x", "%%", "_'", "\x00a", "a" * 5_000, "1e9999"])
    def test_bears_any_text(
        self, entity: Entity, person: Person, client_of: ClientOf, text: str
    ) -> None:
        client = client_of(person(Role.OPERATIONS_LEAD, entity))

        assert client.get("/search/", {"q": text}).status_code == 200


class TestEntity:
    def test_narrows_what_is_seen(
        self, entity: Entity, germany: Entity, person: Person, client_of: ClientOf
    ) -> None:
        client = client_of(person(Role.BUYER, entity, germany))

        answer = client.post("/entity/", {"entity": germany.pk, "next": "/profile/"})

        assert answer.headers["Location"] == "/profile/"
        assert client.session["entity"] == germany.pk

    def test_widens_it_again(
        self, entity: Entity, germany: Entity, person: Person, client_of: ClientOf
    ) -> None:
        client = client_of(person(Role.BUYER, entity, germany))
        client.post("/entity/", {"entity": germany.pk})

        client.post("/entity/", {"entity": ""})

        assert "entity" not in client.session

    @pytest.mark.parametrize("wanted", ["999999", "x", "1; DROP TABLE", "-1"])
    def test_is_one_of_the_persons_own(
        self, entity: Entity, person: Person, client_of: ClientOf, wanted: str
    ) -> None:
        client = client_of(person(Role.BUYER, entity))

        client.post("/entity/", {"entity": wanted})

        assert "entity" not in client.session


class TestProfile:
    def test_keeps_name_and_time_zone(self, person: Person, client_of: ClientOf) -> None:
        user = person()

        answer = client_of(user).post(
            "/profile/", {"first_name": "D", "last_name": "K", "time_zone": "Europe/Berlin"}
        )

        user.refresh_from_db()
        assert answer.status_code == 302
        assert (user.first_name, user.last_name, user.time_zone) == ("D", "K", "Europe/Berlin")

    def test_refuses_a_zone_that_is_none(self, person: Person, client_of: ClientOf) -> None:
        user = person()

        answer = client_of(user).post("/profile/", {"first_name": "D", "time_zone": "../etc"})

        user.refresh_from_db()
        assert answer.status_code == 422
        assert "Choose one from the list" in answer.content.decode()
        assert (user.first_name, user.time_zone) == ("Dana", "UTC")


class TestStyleguide:
    def test_is_for_superusers(
        self, person: Person, client_of: ClientOf, admin_client: Client
    ) -> None:
        assert client_of(person()).get("/styleguide/").status_code == 403
        assert admin_client.get("/styleguide/").status_code == 200
