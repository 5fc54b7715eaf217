"""erp/embedded/valkey.py."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import redis

from erp.embedded.keeper import Server, ready_mark
from erp.embedded.lease import Lease
from erp.embedded.valkey import Valkey

Claim = Callable[[Server], Lease]
FSYNC_EVERY_S = 1.0


def connect(server: Valkey) -> redis.Redis:
    return redis.Redis.from_url(server.url, decode_responses=True)


class TestServer:
    def test_refuses_to_drop_keys_and_hears_no_network(self, folder: Path, claim: Claim) -> None:
        server = Valkey(folder, durable=True)
        claim(server)

        with connect(server) as line:
            settings = line.config_get("maxmemory-policy", "appendonly", "port")
        assert settings == {"maxmemory-policy": "noeviction", "appendonly": "yes", "port": "0"}
        assert server.socket.stat().st_mode & 0o077 == 0

    def test_comes_back_after_kill_9_with_what_it_knew(self, folder: Path, claim: Claim) -> None:
        server = Valkey(folder, durable=True)
        lease = claim(server)
        with connect(server) as line:
            line.set("queue", "17")
        time.sleep(FSYNC_EVERY_S + 0.2)
        pid = int(ready_mark(server).read_text())

        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while not (lease.is_ready() and int(ready_mark(server).read_text()) != pid):
            assert time.monotonic() < deadline
            time.sleep(0.05)

        with connect(server) as line:
            assert line.get("queue") == "17"

    def test_works_where_the_path_is_too_long_for_a_socket(
        self, folder: Path, claim: Claim
    ) -> None:
        deep = folder / ("a" * 60) / "with a space" / ("b" * 40)
        deep.mkdir(parents=True)
        server = Valkey(deep, durable=True)
        claim(server)

        with connect(server) as line:
            assert line.ping()
        assert len(str(server.socket)) < 107
        server.socket.parent.rmdir() if not any(server.socket.parent.iterdir()) else None
