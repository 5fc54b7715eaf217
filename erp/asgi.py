"""One port: pages and the API on threads of their own, live events on the event loop.

Pages keep their database connection between requests, one a thread; under a fully asynchronous
Django every request would open another. The stream of events must not hold a thread while it waits.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "erp.settings.base")
pages = WSGIMiddleware(get_wsgi_application(), workers=int(os.environ.get("WEB_THREADS", "8")))

try:
    from erp.web.live import events
except ModuleNotFoundError:
    events = pages

Message = MutableMapping[str, Any]


async def application(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Answer one connection."""
    answer = events if scope["path"].startswith("/events/") else pages
    await answer(scope, receive, send)
