"""Live pages: facts go through Redis to every open browser that may know of them.

`announce` publishes; `events` is the ASGI application behind /events/. A process keeps one
subscription, whatever the number of browsers. What is lost here is only a wake-up: pages read their
rows from the database when they are told, and again after a lost connection.
"""

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any

import redis
import redis.asyncio
from django.conf import settings
from django.contrib.auth import get_user
from django.db import DatabaseError, connection
from django.http import HttpRequest

from erp.accounts.models import User
from erp.kernel.breaker import Breaker

logger = logging.getLogger(__name__)
CHANNEL = "live"
HEARTBEAT_SECONDS = 15
QUEUE_MAX = 200
CLIENTS_MAX = int(os.environ.get("LIVE_CLIENTS_MAX", "2000"))
PATIENCE_SECONDS = 1.0  # who announces waits no longer for Redis
RETRY_SECONDS = 2
CANCEL_SECONDS = 0.5
SESSION_CHECK_SECONDS = 300
breaker = Breaker("telling the open pages")
STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@cache
def line() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=PATIENCE_SECONDS,
        socket_connect_timeout=PATIENCE_SECONDS,
    )


def announce(topic: str, entity_id: int, ref: str) -> None:
    """Tell the open pages that something of `topic` has changed in an entity. Never fails."""
    announce_all([(topic, entity_id, ref)])


def announce_all(said: Iterable[tuple[str, int, str]]) -> None:
    """Tell many at once, in one round trip; the same topic and entity are told once."""
    once = {(topic, entity): ref for topic, entity, ref in said}
    if not once:
        return
    breaker.attempt(lambda: _publish(once), None)


def _publish(once: dict[tuple[str, int], str]) -> None:
    with line().pipeline(transaction=False) as pipe:
        for (topic, entity), ref in once.items():
            pipe.publish(CHANNEL, json.dumps({"topic": topic, "entity": entity, "ref": ref}))
        pipe.execute()


@dataclass(eq=False, slots=True)
class Client:
    """One open browser: the entities it may hear of, and what it has not been sent yet."""

    user_id: int
    entities: frozenset[int]
    queue: "asyncio.Queue[str]" = field(default_factory=lambda: asyncio.Queue(QUEUE_MAX))

    def tell(self, text: str) -> None:
        """Queue a message; a browser that does not keep up loses the oldest ones."""
        while True:
            try:
                self.queue.put_nowait(text)
            except asyncio.QueueFull:
                with suppress(asyncio.QueueEmpty):
                    self.queue.get_nowait()
            else:
                return


class Hub:
    """The one subscription of this process, and whom it serves."""

    def __init__(self) -> None:
        self.clients: set[Client] = set()
        self.task: asyncio.Task[None] | None = None
        self.was_deaf = False

    def join(self, client: Client) -> None:
        self.clients.add(client)
        if self.task is None or self.task.done():
            self.task = asyncio.get_running_loop().create_task(self.listen())

    async def leave(self, client: Client) -> None:
        self.clients.discard(client)
        if not self.clients and self.task is not None:
            listening, self.task = self.task, None
            await end(listening)

    async def listen(self) -> None:
        """Pass on what is announced, for as long as anybody is there; Redis may come and go."""
        while True:
            try:
                await self.pass_on()
            except (redis.RedisError, OSError):
                logger.warning("Live updates pause: Redis does not answer.")
            self.was_deaf = True
            await asyncio.sleep(RETRY_SECONDS)

    async def pass_on(self) -> None:
        shared = redis.asyncio.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=2, health_check_interval=10
        )
        async with shared, shared.pubsub(ignore_subscribe_messages=True) as subscription:
            await subscription.subscribe(CHANNEL)
            if self.was_deaf:
                self.resume()
            while True:
                message = await subscription.get_message(timeout=HEARTBEAT_SECONDS)
                if message is not None:
                    self.deliver(message["data"])

    def resume(self) -> None:
        """Tell everybody to look again: what happened in between was not heard."""
        self.was_deaf = False
        for client in self.clients:
            client.tell(json.dumps({"topic": "resumed", "entity": 0, "ref": ""}))

    def deliver(self, data: bytes) -> None:
        try:
            said = json.loads(data)
        except ValueError:
            said = None
        entity = said.get("entity") if isinstance(said, dict) else None
        if not isinstance(entity, int):
            logger.warning("Something that is no announcement came in on the live channel.")
            return
        text = data.decode()
        for client in self.clients:
            if entity in client.entities:
                client.tell(text)


hub = Hub()


async def end(task: "asyncio.Task[None]") -> None:
    """Cancel until it is done: the Redis client loses a cancellation that meets its connecting."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_SECONDS)


def who_asks(cookies: str) -> tuple[int, frozenset[int]] | None:
    """Return the user behind a session cookie and all their entities; None if nobody is signed in.

    Runs in a thread, with a database connection that is given back at the end.
    """
    try:
        jar: SimpleCookie = SimpleCookie(cookies)
        morsel = jar.get(settings.SESSION_COOKIE_NAME)
        if morsel is None:
            return None
        request = HttpRequest()
        store = import_module(settings.SESSION_ENGINE).SessionStore
        request.session = store(morsel.value)
        user = get_user(request)
        if not isinstance(user, User) or not user.is_active:
            return None
        held = user.every_entity if user.is_superuser else frozenset().union(*user.granted.values())
        return user.pk, frozenset(held)
    except CookieError:
        return None
    finally:
        connection.close()


async def events(scope: Message, receive: Receive, send: Send) -> None:
    """Answer /events/: a stream of what changes, for a signed-in person, until they leave."""
    cookies = dict(scope["headers"]).get(b"cookie", b"").decode("latin-1")
    status, known = await admission(scope["method"], cookies)
    if known is None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    client = Client(*known)
    hub.join(client)
    gone = asyncio.create_task(until_gone(receive))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
        await stream(client, gone, send, cookies)
    except asyncio.CancelledError:
        logger.info("A page's stream ends with the server.")
    finally:
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await hub.leave(client)
        with suppress(OSError, RuntimeError):
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def admission(method: str, cookies: str) -> tuple[int, tuple[int, frozenset[int]] | None]:
    """Return who may listen, else the status of the refusal; 204 makes a browser stop asking."""
    if method != "GET":
        return 405, None
    if len(hub.clients) >= CLIENTS_MAX:
        return 503, None
    try:
        known = await asyncio.to_thread(who_asks, cookies)
    except DatabaseError:
        logger.warning("Nobody can listen: the database does not answer.")
        return 503, None
    return (200 if known else 204), known


async def stream(client: Client, gone: "asyncio.Task[None]", send: Send, cookies: str) -> None:
    """Send what is queued, a heartbeat in between, until the browser or the session is gone."""
    await put(send, "retry: 3000\n\n")
    loop = asyncio.get_running_loop()
    checked_at = loop.time()
    while not gone.done():
        waiting = asyncio.ensure_future(client.queue.get())
        try:
            await asyncio.wait(
                {waiting, gone}, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            waiting.cancel()  # does nothing to one that is done
        if waiting.done():
            await put(send, f"data: {waiting.result()}\n\n")
        elif not gone.done():
            await put(send, ": still here\n\n")
        if loop.time() - checked_at > SESSION_CHECK_SECONDS:
            checked_at = loop.time()
            _status, known = await admission("GET", cookies)
            if known is None or known[0] != client.user_id:
                return
            client.entities = known[1]


async def put(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
