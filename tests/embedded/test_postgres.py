"""erp/embedded/postgres.py, with the keeper and the lease around it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from erp.embedded.keeper import Server, ready_mark
from erp.embedded.lease import PROJECT, Lease, ServerUnavailable
from erp.embedded.postgres import Postgres

Claim = Callable[[Server], Lease]


def ask(server: Postgres, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(server.url)) as line, line, line.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def postmaster(server: Postgres) -> int:
    return int(ready_mark(server).read_text())


def wait_for(what: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def dies(pid: int) -> Callable[[], bool]:
    def check() -> bool:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        return state == "Z"

    return check


@pytest.fixture
def server(folder: Path) -> Iterator[Postgres]:
    server = Postgres(folder, durable=True)
    yield server
    if not server.place.data.is_relative_to(folder):
        shutil.rmtree(server.place.data.parent)


class TestServer:
    def test_is_postgresql_18_that_forgets_nothing_and_hears_no_network(
        self, server: Postgres, claim: Claim
    ) -> None:
        claim(server)

        names = ("fsync", "synchronous_commit", "full_page_writes", "listen_addresses", "TimeZone")
        settings = {name: ask(server, f"SHOW {name}")[0][0] for name in names}
        assert settings == {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "listen_addresses": "",
            "TimeZone": "UTC",
        }
        assert ask(server, "SHOW server_version")[0][0].startswith("18.")

    def test_gives_the_application_no_more_than_its_own_databases(
        self, server: Postgres, claim: Claim
    ) -> None:
        claim(server)

        role = "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = %s"
        assert ask(server, role, "erp") == [(False, False, True)]
        owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'erp'"
        assert ask(server, owner) == [("erp",)]

    def test_leaves_its_files_to_nobody_else(self, server: Postgres, claim: Claim) -> None:
        claim(server)

        assert server.place.data.stat().st_mode & 0o077 == 0

    def test_starts_where_making_the_data_was_once_interrupted(
        self, server: Postgres, claim: Claim
    ) -> None:
        half = server.place.data.with_name("postgres.new")
        half.mkdir(parents=True)
        (half / "PG_VERSION").write_text("18\n")

        claim(server)

        assert ask(server, "SELECT 1") == [(1,)]

    def test_refuses_the_data_of_another_version_in_a_sentence(
        self, server: Postgres, claim: Claim
    ) -> None:
        server.place.data.mkdir(parents=True)
        (server.place.data / "PG_VERSION").write_text("16\n")

        with pytest.raises(ServerUnavailable, match="was written by PostgreSQL 16, this is 18"):
            claim(server)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives up rights")
    def test_moves_out_of_a_folder_that_its_user_cannot_enter(
        self, folder: Path, claim: Claim
    ) -> None:
        folder.chmod(0o700)
        server = Postgres(folder, durable=True)
        lease = claim(server)
        ask(server, "CREATE TABLE kept AS SELECT 1")

        lease.release()
        lease.wait_stopped()
        again = Postgres(folder, durable=True)
        claim(again)

        assert not again.place.data.is_relative_to(folder)
        assert ask(again, "SELECT * FROM kept") == [(1,)]
        assert folder.stat().st_mode & 0o777 == 0o700
        shutil.rmtree(again.place.data.parent, ignore_errors=True)


class TestSharing:
    def test_a_second_user_joins_and_keeps_the_server_when_the_first_leaves(
        self, server: Postgres, claim: Claim
    ) -> None:
        first = claim(server)
        pid = postmaster(server)

        second = claim(Postgres(server.folder, durable=True))
        first.release()
        first.wait_stopped()

        assert second.keeper is None
        assert ask(server, "SELECT 1") == [(1,)]
        assert postmaster(server) == pid

    def test_the_last_to_leave_stops_it_and_the_data_survive(
        self, server: Postgres, claim: Claim
    ) -> None:
        lease = claim(server)
        ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        pid = postmaster(server)

        lease.release()
        lease.wait_stopped()

        assert dies(pid)()
        assert not (server.place.data / "postmaster.pid").exists()
        claim(server)
        assert ask(server, "SELECT answer FROM kept") == [(42,)]

    def test_a_user_that_is_killed_leaves_no_server_behind(self, server: Postgres) -> None:
        holding = (
            "import sys, time, pathlib\n"
            "from erp.embedded.postgres import Postgres\n"
            "from erp.embedded.lease import Lease\n"
            "lease = Lease(Postgres(pathlib.Path(sys.argv[1]), durable=True), durable=True)\n"
            "lease.hold(); lease.wait(); print('held', flush=True); time.sleep(600)\n"
        )
        command = [sys.executable, "-c", holding, str(server.folder)]
        with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE) as user:
            assert user.stdout is not None
            assert user.stdout.readline() == b"held\n"
            pid = postmaster(server)

            user.kill()

        wait_for(dies(pid))
        wait_for(lambda: not Lease(server, durable=True).is_kept())


class TestRecovery:
    def test_after_kill_9_the_committed_is_there_and_the_open_is_not(
        self, server: Postgres, claim: Claim
    ) -> None:
        claim(server)
        ask(server, "CREATE TABLE booked (what text)")
        ask(server, "INSERT INTO booked VALUES ('committed')")
        with closing(psycopg2.connect(server.url)) as line, line.cursor() as cursor:
            cursor.execute("INSERT INTO booked VALUES ('open')")
            pid = postmaster(server)

            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: ready_mark(server).exists() and postmaster(server) != pid)

            with pytest.raises(psycopg2.OperationalError):
                line.commit()
        assert ask(server, "SELECT what FROM booked") == [("committed",)]

    def test_a_killed_keeper_is_replaced_by_the_user(self, server: Postgres, claim: Claim) -> None:
        lease = claim(server)
        ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        assert lease.keeper is not None
        pid = postmaster(server)

        lease.keeper.kill()
        lease.keeper.wait()
        lease.ensure()
        wait_for(lambda: lease.is_ready() and postmaster(server) != pid)

        assert ask(server, "SELECT answer FROM kept") == [(42,)]

    def test_a_pid_file_that_names_somebody_else_is_no_server(
        self, server: Postgres, claim: Claim
    ) -> None:
        lease = claim(server)
        lease.release()
        lease.wait_stopped()
        data = server.place.data
        lines = [str(os.getpid()), str(data), "1700000000", "5432", str(data), "", "0 0", "ready"]
        (data / "postmaster.pid").write_text("\n".join(lines))
        (data / ".s.PGSQL.5432.lock").write_text("\n".join(lines))

        claim(server)

        assert ask(server, "SELECT 1") == [(1,)]
