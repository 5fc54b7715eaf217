"""`manage.py up`: whatever is killed comes back, and what was committed is there."""

import os
import signal
import subprocess
import time
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
import redis

from tests.processes.harness import PROGRAMS, SERVERS, RunningSystem, free_port

pytestmark = pytest.mark.processes
VALKEY_FSYNC_S = 1.0


@pytest.fixture(autouse=True, scope="module")
def _table(system: RunningSystem) -> None:
    system.ask("CREATE TABLE booked (what text)")


class TestKill:
    @pytest.mark.parametrize("name", [*PROGRAMS, *SERVERS])
    def test_comes_back_within_a_minute_with_all_that_was_committed(
        self, system: RunningSystem, name: str
    ) -> None:
        system.ask("INSERT INTO booked VALUES (%s)", name)

        seconds = system.kill_and_wait(name)

        assert seconds < 60
        assert system.ask("SELECT count(*) FROM booked WHERE what = %s", name) == [(1,)]

    def test_a_transaction_cut_short_by_the_database_leaves_nothing(
        self, system: RunningSystem
    ) -> None:
        with closing(psycopg2.connect(system.postgres.url)) as line, line.cursor() as cursor:
            cursor.execute("INSERT INTO booked VALUES ('open')")

            system.kill_and_wait("postgres")

            with pytest.raises(psycopg2.OperationalError):
                line.commit()
        assert system.ask("SELECT count(*) FROM booked WHERE what = 'open'") == [(0,)]

    def test_the_broker_keeps_what_it_was_given(self, system: RunningSystem) -> None:
        with redis.Redis.from_url(system.valkey.url) as line:
            line.set("kept", "17")
        time.sleep(VALKEY_FSYNC_S + 0.2)

        system.kill_and_wait("valkey")

        with redis.Redis.from_url(system.valkey.url) as line:
            assert line.get("kept") == b"17"

    def test_work_goes_on_after_the_broker_forgot_everything(self, system: RunningSystem) -> None:
        with redis.Redis.from_url(system.valkey.url) as line:
            line.flushall()

        system.wait_ready()

    @pytest.mark.parametrize("name", SERVERS)
    def test_the_web_process_lives_and_says_it_is_not_ready_while_a_server_is_away(
        self, system: RunningSystem, name: str
    ) -> None:
        keeper = system.pid(f"{name}.keeper")
        os.kill(keeper, signal.SIGSTOP)
        try:
            system.kill(name)

            system.wait(lambda: system.status("/readyz") == 503, "the web process to say so")
            assert system.status("/healthz") == 200
        finally:
            os.kill(keeper, signal.SIGCONT)

        system.wait_ready()

    @pytest.mark.parametrize("name", SERVERS)
    def test_a_keeper_that_is_killed_is_replaced(self, system: RunningSystem, name: str) -> None:
        server = system.pid(name)

        system.kill(f"{name}.keeper")

        system.wait(lambda: system.pid(name) not in {0, server}, f"a new {name}")
        system.wait_ready()


class TestStop:
    def test_ends_everything_within_30_seconds_and_starts_again_on_the_same_data(
        self, system: RunningSystem
    ) -> None:
        system.ask("INSERT INTO booked VALUES ('before the stop')")
        everything = [system.pid(name) for name in (*PROGRAMS, *SERVERS)]

        seconds = system.stop()

        assert seconds < 30
        assert [pid for pid in everything if runs(pid)] == []
        system.start()
        system.wait_ready()
        assert system.ask("SELECT count(*) FROM booked WHERE what = 'before the stop'") == [(1,)]

    def test_a_second_one_on_the_same_data_is_refused(self, system: RunningSystem) -> None:
        with pytest.raises(subprocess.CalledProcessError) as refusal:
            system.manage("up", "--port", str(free_port()))

        assert f"Crossdock already runs on {system.folder}." in refusal.value.stderr

    def test_a_taken_port_is_refused_at_once(self, system: RunningSystem) -> None:
        with pytest.raises(subprocess.CalledProcessError) as refusal:
            system.manage("up", "--port", str(system.port))

        assert f"Cannot listen on 127.0.0.1:{system.port}" in refusal.value.stderr

    def test_a_killed_supervisor_takes_everything_along(self, system: RunningSystem) -> None:
        everything = {name: system.pid(name) for name in (*PROGRAMS, *SERVERS)}
        assert system.supervisor is not None

        system.kill("up")
        system.supervisor.wait()

        deadline = time.monotonic() + 90
        while left := [name for name, pid in everything.items() if runs(pid)]:
            assert time.monotonic() < deadline, f"{left} outlive the supervisor"
            time.sleep(0.1)
        system.start()
        system.wait_ready()


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
