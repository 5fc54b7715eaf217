"""One port: pages and the API on threads of their own, live events on the event loop.

Pages keep their database connection between requests, one a thread; under a fully asynchronous
Django every request would open another. The stream of events must not hold a thread while it waits.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote_from_bytes

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "erp.settings.base")
django: Any = get_wsgi_application()
pages: Any = WSGIMiddleware(django, workers=int(os.environ.get("WEB_THREADS", "8")))

from erp.web.live import events  # noqa: E402 - the apps must be loaded first

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
PRINTABLE = bytes(range(0x21, 0x7F)).decode()


async def application(scope: Message, receive: Receive, send: Send) -> None:
    """Answer one connection."""
    if scope["path"].startswith("/events/"):
        await events(scope, receive, send)
    else:
        # Bytes that no browser sends unescaped would otherwise end in an error of ours.
        query = quote_from_bytes(scope.get("query_string", b""), safe=PRINTABLE)
        await pages({**scope, "query_string": query.encode()}, whole(receive), send)


def whole(receive: Receive) -> Receive:
    """Make a request that broke off an error, not a request that ends there.

    An order of which half arrived must not pass for a smaller order.
    """

    async def next_message() -> Message:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError("The client left before all of its request was here.")
        return message

    return next_message
