"""Tells a worker that something is waiting. Losing a wake-up loses time, never a fact."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

from django.conf import settings
from django.utils import timezone
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from erp.celery import app
from erp.kernel.breaker import Breaker

TASK = "erp.outbox.tasks.drain"
KEY = "outbox:wake"
COALESCE_MS = 1_000
TIMEOUT_S = 0.25

breaker = Breaker("waking the outbox's worker")
_draining: ContextVar[bool] = ContextVar("draining", default=False)


def wake() -> None:
    """Have a worker drain the outbox soon; many callers within a second send one task.

    Answers within half a second and raises nothing, whatever Redis does: the sweep finds what
    nobody was woken for. Does nothing inside a drain, which looks again before it ends.
    """
    if _draining.get():
        return
    if settings.CELERY_TASK_ALWAYS_EAGER:
        from erp.outbox.delivery import drain  # noqa: PLC0415  it publishes, so it imports us

        drain(timezone.now)
        return
    breaker.attempt(_send, None)


def is_draining() -> bool:
    """Test if this thread is delivering already, so that a fact of a handler starts no second."""
    return _draining.get()


@contextmanager
def draining() -> Iterator[None]:
    """Mark this thread as draining, and let the next fact wake another worker."""
    if not settings.CELERY_TASK_ALWAYS_EAGER:
        breaker.attempt(lambda: bool(_redis().delete(KEY)), otherwise=False)
    token = _draining.set(True)
    try:
        yield
    finally:
        _draining.reset(token)


def _send() -> None:
    if _redis().set(KEY, 1, nx=True, px=COALESCE_MS):
        app.send_task(TASK, ignore_result=True, retry=False, expires=60)


@cache
def _redis() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )
