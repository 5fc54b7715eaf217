"""The whole ERP as `manage.py up` runs it, on a scratch folder and a free port, to be broken."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import psycopg2

from erp.embedded.lease import PROJECT
from erp.embedded.postgres import Postgres
from erp.embedded.valkey import Valkey

OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "MEDIA_ROOT", "DJANGO_SETTINGS_MODULE")
PROGRAMS = ("web", "worker", "beat")
SERVERS = ("postgres", "valkey")
READY_S = 120.0


class RunningSystem:
    """One ERP: its servers, web, worker and beat, under its supervisor.

    >>> with RunningSystem() as system:
    ...     system.kill("postgres")
    ...     system.wait_ready()
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="crossdock-system-"))
        self.folder.chmod(0o755)  # PostgreSQL's user must enter it
        self.port = free_port()
        self.supervisor: subprocess.Popen[bytes] | None = None
        self.postgres = Postgres(self.folder, durable=True)
        self.valkey = Valkey(self.folder, durable=True)

    def __enter__(self) -> Self:
        try:
            self.start()
            self.wait_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        """What a command needs to run beside the system: `manage.py` joins its servers."""
        rest = {name: value for name, value in os.environ.items() if name not in OURS}
        return {**rest, "ERP_DATA": str(self.folder)}

    @property
    def log(self) -> Path:
        return self.folder / "up.log"

    def start(self) -> None:
        """Start everything, on an empty or on the same data."""
        command = [sys.executable, "manage.py", "up", "--no-demo", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.supervisor = subprocess.Popen(
                command,
                cwd=PROJECT,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self) -> float:
        """End everything as Ctrl-C does; return how many seconds it took."""
        if self.supervisor is None:
            return 0.0
        began = time.monotonic()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.supervisor.pid, signal.SIGINT)
        self.supervisor.wait(60)
        self.supervisor = None
        return time.monotonic() - began

    def manage(self, *arguments: str) -> str:
        """Run a command beside the system and return what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=PROJECT, env=self.environ, capture_output=True, text=True, check=True
        ).stdout

    def pid(self, name: str) -> int:
        """Return the process of a program, a server, `up` or `postgres.keeper`; 0 if none."""
        if name == "up":
            return self.supervisor.pid if self.supervisor else 0
        ending = {**dict.fromkeys(PROGRAMS, ".pid"), **dict.fromkeys(SERVERS, ".ready")}
        try:
            return int((self.folder / (name + ending.get(name, ""))).read_text())
        except (FileNotFoundError, ValueError):
            return 0

    def kill(self, name: str) -> int:
        """Kill one part with SIGKILL; return its process."""
        pid = self.pid(name)
        assert pid, f"{name} does not run"
        os.kill(pid, signal.SIGKILL)
        return pid

    def kill_and_wait(self, name: str) -> float:
        """Kill one part, wait until another has its place and all works; return seconds."""
        began = time.monotonic()
        killed = self.kill(name)
        self.wait(lambda: self.pid(name) not in {0, killed}, f"a new {name}")
        self.wait_ready()
        return time.monotonic() - began

    def wait_ready(self) -> None:
        """Wait until requests are served and a task begun from now on is finished."""
        asked_at = time.time()
        self.wait(lambda: self.status("/readyz") == 200, "a ready web process")
        self.wait(lambda: self.last_task_at() > asked_at, "a finished task")

    def wait(self, what: Callable[[], object], name: str, seconds: float = READY_S) -> None:
        deadline = time.monotonic() + seconds
        while not what():
            alive = self.supervisor is not None and self.supervisor.poll() is None
            assert alive, f"the supervisor ended:\n{self.tail()}"
            assert time.monotonic() < deadline, f"waited for {name}:\n{self.tail()}"
            time.sleep(0.1)

    def status(self, address: str) -> int:
        try:
            with urllib.request.urlopen(f"{self.url}{address}", timeout=10) as answer:  # noqa: S310
                return answer.status
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code
        except OSError:
            return 0

    def last_task_at(self) -> float:
        try:
            return (self.folder / "pulse" / "last").stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement in its own transaction on the system's database."""
        with closing(psycopg2.connect(self.postgres.url)) as line, line, line.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port
