"""erp/outbox/waking.py, erp/outbox/tasks.py"""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from redis import Redis

from erp.celery import app
from erp.outbox import tasks, waking
from erp.outbox.waking import KEY, draining, is_draining, wake

QUEUE = "celery"


@pytest.fixture
def redis(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """The run's own Valkey, with tasks really sent to it."""
    monkeypatch.setattr(waking, "TIMEOUT_S", 30)  # a busy machine is not one without Redis
    waking._redis.cache_clear()
    settings.CELERY_TASK_ALWAYS_EAGER = False
    client = Redis.from_url(settings.REDIS_URL)
    client.delete(KEY, QUEUE)
    waking.breaker.reset()
    app.conf.task_always_eager = False
    yield client
    app.conf.task_always_eager = True
    waking._redis.cache_clear()
    client.delete(KEY, QUEUE)
    waking.breaker.reset()


class TestWake:
    def test_many_callers_send_one_task(
        self, redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(waking, "COALESCE_MS", 60_000)  # a slow machine takes its time
        for _ in range(5):
            wake()

        (sent,) = redis.lrange(QUEUE, 0, -1)
        assert json.loads(sent)["headers"]["task"] == tasks.drain.name
        assert 0 < redis.pttl(KEY) <= waking.COALESCE_MS

    def test_who_drains_can_be_followed_by_another(self, redis: Redis) -> None:
        wake()
        with draining():
            assert is_draining()
            assert not redis.exists(KEY)
            wake()  # of a handler: this drain looks again by itself
            assert redis.llen(QUEUE) == 1
        wake()

        assert not is_draining()
        assert redis.llen(QUEUE) == 2

    def test_redis_that_is_away_costs_nothing(
        self, redis: Redis, settings: LazySettings, tmp_path: Path
    ) -> None:
        settings.REDIS_URL = f"unix://{tmp_path}/none?db=0"
        waking._redis.cache_clear()
        try:
            began = time.monotonic()
            for _ in range(100):
                wake()
            assert time.monotonic() - began < 1
        finally:
            waking._redis.cache_clear()

    def test_redis_that_is_frozen_costs_one_time_out(
        self,
        redis: Redis,
        settings: LazySettings,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(waking, "TIMEOUT_S", 0.25)
        address = tmp_path / "frozen"
        with socket.socket(socket.AF_UNIX) as frozen:
            frozen.bind(str(address))
            frozen.listen()
            settings.REDIS_URL = f"unix://{address}?db=0"
            waking._redis.cache_clear()
            try:
                began = time.monotonic()
                for _ in range(100):
                    wake()
                took = time.monotonic() - began
            finally:
                waking._redis.cache_clear()

        assert took < 1


def test_tasks_wait_no_longer_than_they_are_of_use() -> None:
    assert tasks.sweep.expires == 10
    assert tasks.drain.expires == 60
