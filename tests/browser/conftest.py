"""A real browser against a real server: pages as people meet them.

`page` opens at the test's own server, fails the test on any error in the browser's console, and is
skipped where there is no Chromium (with CI=true it fails instead).
"""

import asyncio
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from erp.accounts.models import User

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
DESKTOP = {"width": 1440, "height": 900}
UNDER_WAY: set[int] = set()  # the server's requests
PHONE = {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(os.path.dirname(__file__)):  # noqa: PTH120
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The one Chromium of the run."""
    if CHROMIUM is None:
        said = "No Chromium here: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.skip(said)
    # Playwright keeps an event loop in this thread, where Django would refuse its database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")


@pytest.fixture(scope="session")
def server_url(django_db_setup: None) -> Iterator[str]:
    """The address of the application, served as in production: uvicorn, threads, live events."""
    kept = connections.databases["default"]["CONN_MAX_AGE"]
    connections.databases["default"]["CONN_MAX_AGE"] = (
        0  # or the test database could not be dropped
    )
    from erp.asgi import application  # noqa: PLC0415  its threads read the line above

    async def counted(scope: Any, receive: Any, send: Any) -> None:
        UNDER_WAY.add(id(scope))
        try:
            await application(scope, receive, send)
        finally:
            UNDER_WAY.discard(id(scope))

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(
            counted, port=port, log_level="warning", lifespan="off", ws="none",
            timeout_graceful_shutdown=1,
        )
    )  # fmt: skip
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    assert server.started
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)
    connections.databases["default"]["CONN_MAX_AGE"] = kept


@pytest.fixture
def open_context(browser: Browser, server_url: str) -> Iterator[Callable[..., BrowserContext]]:
    """Open a browser of one's own: `open_context(theme="dark", viewport=PHONE)`."""
    opened: list[BrowserContext] = []
    errors: list[str] = []

    def open_one(theme: str = "light", **options: object) -> BrowserContext:
        options.setdefault("viewport", DESKTOP)
        context = browser.new_context(base_url=server_url, **options)
        context.add_cookies([{"name": "theme", "value": theme, "url": server_url}])
        context.set_default_timeout(10_000)
        context.on("weberror", lambda error: errors.append(str(error.error)))
        context.on(
            "console", lambda m: errors.append(m.text) if _is_fault(m.type, m.text) else None
        )
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()
    until = time.monotonic() + 20
    while UNDER_WAY and time.monotonic() < until:  # or emptying the tables would meet a reader
        time.sleep(0.02)
    assert not UNDER_WAY, "a request outlives its browser"
    assert not errors, f"the browser complained: {errors}"


def _is_fault(kind: str, text: str) -> bool:
    """Test if a console line is a fault: a 4xx may be asked for, leaving aborts requests."""
    expected = ("Failed to load resource", "htmx:sendAbort", "htmx:afterRequest")
    return kind == "error" and not text.startswith(expected)


@pytest.fixture
def page(open_context: Callable[..., BrowserContext]) -> Page:
    """A page at desktop size, nobody signed in."""
    return open_context().new_page()


@pytest.fixture
def sign_in(server_url: str) -> Callable[[Page, User], None]:
    """Sign a person in on a page without typing: `sign_in(page, user)`."""

    def enter(page: Page, user: User) -> None:
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        page.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": cookie.value, "url": server_url}]
        )

    return enter


@pytest.fixture
def assert_accessible() -> Callable[[Page], None]:
    """Fail on anything that axe calls serious or critical, and on sideways scrolling."""

    def check(page: Page) -> None:
        page.wait_for_load_state("load")
        faults = [
            f"{fault['impact']} {fault['id']}: {fault['nodes'][0]['html'][:200]}"
            for fault in Axe().run(page).response["violations"]
            if fault["impact"] in {"serious", "critical"}
        ]
        assert not faults, "\n".join(faults)
        beyond = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert beyond <= 0, f"{page.url} scrolls sideways by {beyond} px"

    return check
