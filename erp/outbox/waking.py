"""Tells a worker that something is waiting. Losing a wake-up loses time, never a fact."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache

from django.conf import settings
from django.utils import timezone
from redis import Redis, RedisError

from erp.celery import app

TASK = "erp.outbox.tasks.drain"
KEY = "outbox:wake"
COALESCE_MS = 1_000
TIMEOUT_S = 0.25
REST_S = 5.0  # after Redis failed, nobody asks it again for so long

logger = logging.getLogger(__name__)
_draining: ContextVar[bool] = ContextVar("draining", default=False)
_resting_until = 0.0


def wake() -> None:
    """Have a worker drain the outbox soon; many callers within a second send one task.

    Answers within half a second and raises nothing, whatever Redis does: the sweep finds what
    nobody was woken for. Does nothing inside a drain, which looks again before it ends.
    """
    global _resting_until  # noqa: PLW0603  one circuit breaker a process
    if _draining.get():
        return
    if settings.CELERY_TASK_ALWAYS_EAGER:
        from erp.outbox.delivery import drain  # noqa: PLC0415  it publishes, so it imports us

        drain(timezone.now)
        return
    if time.monotonic() < _resting_until:
        return
    try:
        if _redis().set(KEY, 1, nx=True, px=COALESCE_MS):
            app.send_task(TASK, ignore_result=True, retry=False, expires=60)
    except Exception as error:  # noqa: BLE001  the broker has many ways to fail, and none matters here
        _resting_until = time.monotonic() + REST_S
        logger.warning("nobody was woken for the outbox: %r", error)


def is_draining() -> bool:
    """Test if this thread is delivering already, so that a fact of a handler starts no second."""
    return _draining.get()


@contextmanager
def draining() -> Iterator[None]:
    """Mark this thread as draining, and let the next fact wake another worker."""
    if not settings.CELERY_TASK_ALWAYS_EAGER:
        with suppress(RedisError):
            _redis().delete(KEY)
    token = _draining.set(True)
    try:
        yield
    finally:
        _draining.reset(token)


@cache
def _redis() -> "Redis":
    return Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
    )
