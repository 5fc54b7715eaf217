"""erp/web/live.py"""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import OperationalError
from django.test import Client

from erp.accounts.models import Entity, Role, User
from erp.web import live
from erp.web.live import CHANNEL, QUEUE_MAX, Hub, announce, announce_all, events, who_asks

Person = Callable[..., User]


def cookie_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}"


class Browser:
    """Speaks ASGI to `events` as a browser would, in a loop of its own."""

    def __init__(self, cookie: str, method: str = "GET") -> None:
        self.cookie, self.method = cookie, method
        self.sent: list[dict[str, Any]] = []
        self.loop = asyncio.new_event_loop()
        self.leaving = asyncio.Event()
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=[self.run()])

    async def run(self) -> None:
        scope = {
            "type": "http", "method": self.method, "path": "/events/",
            "headers": [(b"cookie", self.cookie.encode())],
        }  # fmt: skip
        await events(scope, self.receive, self.send)

    def stop_server(self) -> None:
        """Cancel the stream, as a server does that waits no longer."""
        for task in asyncio.all_tasks(self.loop):
            if "run" in task.get_coro().__qualname__:
                self.loop.call_soon_threadsafe(task.cancel)
        self.thread.join(10)
        assert not self.thread.is_alive()

    async def receive(self) -> dict[str, Any]:
        await self.leaving.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    def leave(self) -> None:
        self.loop.call_soon_threadsafe(self.leaving.set)
        self.thread.join(10)
        assert not self.thread.is_alive()
        self.loop.close()

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def heard(self) -> list[dict[str, Any]]:
        text = b"".join(m.get("body", b"") for m in self.sent).decode()
        return [json.loads(part[6:]) for part in text.split("\n\n") if part.startswith("data: ")]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def listeners() -> int:
    with redis.Redis.from_url(settings.REDIS_URL) as line:
        return int(line.pubsub_numsub(CHANNEL)[0][1])


@contextmanager
def open_browser(cookie: str) -> Iterator[Browser]:
    browser = Browser(cookie)
    before = listeners()
    browser.thread.start()
    until(lambda: browser.sent[1:] and listeners() > before)
    try:
        yield browser
    finally:
        browser.leave()


@pytest.fixture(autouse=True)
def _own_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "hub", Hub())


@pytest.mark.django_db(transaction=True)
class TestEvents:
    def test_tells_of_the_persons_entities_and_no_others(
        self, entity: Entity, germany: Entity, person: Person
    ) -> None:
        with open_browser(cookie_of(person(Role.BUYER, entity))) as browser:
            announce("orders", germany.pk, "theirs")
            announce("orders", entity.pk, "ours")
            announce("stock", germany.pk, "theirs")
            announce("stock", entity.pk, "ours too")
            until(lambda: len(browser.heard) == 2)

        assert [said["ref"] for said in browser.heard] == ["ours", "ours too"]

    def test_is_a_stream_that_nobody_keeps(self, entity: Entity, person: Person) -> None:
        with open_browser(cookie_of(person(Role.BUYER, entity))) as browser:
            headers = dict(browser.sent[0]["headers"])

        assert browser.status == 200
        assert headers[b"content-type"].startswith(b"text/event-stream")
        assert headers[b"cache-control"] == b"no-store"

    def test_leaves_nothing_behind_when_the_browser_goes(
        self, entity: Entity, person: Person
    ) -> None:
        before = listeners()
        with open_browser(cookie_of(person(Role.BUYER, entity))):
            assert live.hub.clients

        until(lambda: listeners() == before)
        assert not live.hub.clients

    def test_survives_what_is_no_announcement(self, entity: Entity, person: Person) -> None:
        with (
            open_browser(cookie_of(person(Role.BUYER, entity))) as browser,
            redis.Redis.from_url(settings.REDIS_URL) as line,
        ):
            for junk in ("", "{", "[]", "7", '{"topic": "x"}', '{"entity": [1]}'):
                line.publish(CHANNEL, junk)
            announce("orders", entity.pk, "ours")
            until(lambda: bool(browser.heard))

        assert [said["ref"] for said in browser.heard] == ["ours"]

    @pytest.mark.parametrize("cookie", ["", "sessionid=nonsense", "sessionid=\x00", 'sessionid="'])
    def test_tells_strangers_to_stop_asking(self, cookie: str) -> None:
        browser = Browser(cookie)
        browser.thread.start()
        browser.thread.join(10)
        browser.loop.close()

        assert browser.status == 204
        assert browser.heard == []

    def test_ends_its_answer_when_the_server_goes_down(
        self, entity: Entity, person: Person
    ) -> None:
        browser = Browser(cookie_of(person(Role.BUYER, entity)))
        browser.thread.start()
        until(lambda: bool(browser.sent[1:]))

        browser.stop_server()
        browser.loop.close()

        assert browser.sent[-1].get("more_body") is False
        assert not live.hub.clients

    @pytest.mark.parametrize("milliseconds", range(6))
    def test_ends_while_it_is_still_connecting(self, milliseconds: int) -> None:
        async def start_and_stop() -> bool:
            listening = asyncio.create_task(Hub().listen())
            await asyncio.sleep(milliseconds / 1000)
            await asyncio.wait_for(live.end(listening), 10)
            return listening.done()

        with ThreadPoolExecutor() as pool:  # the browser tests keep a loop in this thread
            assert pool.submit(asyncio.run, start_and_stop()).result()

    def test_asks_to_come_back_without_a_database(
        self, entity: Entity, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(cookies: str) -> None:
            raise OperationalError

        monkeypatch.setattr(live, "who_asks", fail)
        browser = Browser(cookie_of(person(Role.BUYER, entity)))
        browser.thread.start()
        browser.thread.join(10)
        browser.loop.close()

        assert browser.status == 503

    def test_only_streams(self, entity: Entity, person: Person) -> None:
        browser = Browser(cookie_of(person(Role.BUYER, entity)), method="POST")
        browser.thread.start()
        browser.thread.join(10)
        browser.loop.close()

        assert browser.status == 405


@pytest.mark.django_db(transaction=True)
class TestWhoAsks:
    def ask(self, cookie: str) -> Any:
        """Ask in a thread, as `events` does: it closes its connection."""
        found: list[Any] = []
        thread = threading.Thread(target=lambda: found.append(who_asks(cookie)))
        thread.start()
        thread.join()
        return found[0]

    def test_knows_the_person_and_their_entities(
        self, entity: Entity, germany: Entity, person: Person
    ) -> None:
        user = person(Role.BUYER, entity)

        assert self.ask(cookie_of(user)) == (user.pk, frozenset({entity.pk}))

    def test_knows_nobody_who_was_made_inactive(self, entity: Entity, person: Person) -> None:
        user = person(Role.BUYER, entity)
        cookie = cookie_of(user)
        User.objects.filter(pk=user.pk).update(is_active=False)

        assert self.ask(cookie) is None


class TestAnnounce:
    def test_is_silent_without_redis(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        live.line.cache_clear()
        try:
            announce("orders", 1, "x")
        finally:
            live.line.cache_clear()

    def test_tells_each_topic_and_entity_once(self) -> None:
        with redis.Redis.from_url(settings.REDIS_URL) as line, line.pubsub() as heard:
            heard.subscribe(CHANNEL)
            until(lambda: heard.get_message() is not None)

            announce_all([("orders", 1, "a"), ("orders", 1, "b"), ("orders", 2, "c")])

            said: list[dict[str, Any]] = []
            until(lambda: bool((m := heard.get_message()) and said.append(m)) or len(said) == 2)
        refs = sorted(json.loads(m["data"])["ref"] for m in said)
        assert refs == ["b", "c"]


class TestClient:
    def test_a_slow_browser_loses_the_oldest(self) -> None:
        client = live.Client(1, frozenset())

        for n in range(QUEUE_MAX + 5):
            client.tell(str(n))

        assert client.queue.qsize() == QUEUE_MAX
        assert client.queue.get_nowait() == "5"
