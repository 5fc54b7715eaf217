"""erp/asgi.py."""

import asyncio
from collections.abc import MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path

from erp.asgi import application

Message = MutableMapping[str, Any]
SEEN: list[bytes] = []


def take(request: HttpRequest) -> HttpResponse:
    SEEN.append(request.body)
    return HttpResponse(request.GET.get("q", ""))


take.csrf_exempt = True  # type: ignore[attr-defined]
urlpatterns = [path("take", take)]


def ask(messages: list[Message], query: bytes = b"", length: int = 0) -> list[Message]:
    """Send a request in pieces; return what came back."""
    sent: list[Message] = []
    waiting = iter(messages)

    async def receive() -> Message:
        return next(waiting)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/take",
        "query_string": query,
        "headers": [(b"host", b"testserver"), (b"content-length", str(length).encode())],
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
    }
    with ThreadPoolExecutor(1) as aside:  # a browser test may have left a loop in this thread
        aside.submit(lambda: asyncio.run(application(scope, receive, send))).result()
    return sent


def piece(body: bytes, *, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.fixture(autouse=True)
def _own_pages() -> Any:
    SEEN.clear()
    with override_settings(ROOT_URLCONF=__name__):
        yield


class TestApplication:
    def test_hands_on_a_whole_request(self) -> None:
        sent = ask([piece(b"qty=1", more=True), piece(b"00", more=False)], length=7)

        assert sent[0]["status"] == 200
        assert SEEN == [b"qty=100"]

    def test_a_request_that_breaks_off_reaches_no_page(self) -> None:
        sent = ask([piece(b"qty=1", more=True), {"type": "http.disconnect"}], length=7)

        assert SEEN == []
        assert sent[0]["status"] >= 400

    def test_takes_a_query_that_no_browser_would_send(self) -> None:
        sent = ask([piece(b"", more=False)], query="q=größe".encode())

        assert sent[0]["status"] == 200
        assert sent[1]["body"].decode() == "größe"
