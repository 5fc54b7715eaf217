"""The programs of the ERP as one machine runs them: web, worker, beat."""

import http.client
import sys
import time
from pathlib import Path

from erp.embedded import pulse
from erp.embedded.supervisor import Program

CELERY = [sys.executable, "-m", "celery", "-q", "-A", "erp.celery"]
LOOK_EVERY_S = 10.0
UNANSWERED_MAX_S = 60.0
DRAIN_S = 5


def programs(host: str, port: int, folder: Path) -> list[Program]:
    """Return the three programs, in the order in which they start."""
    return [web(host, port), worker(folder / "pulse"), beat(folder / "beat-schedule")]


def web(host: str, port: int) -> Program:
    """Return the web process: pages, API and live events on one port."""
    command = [sys.executable, "-m", "uvicorn", "erp.asgi:application"]
    options = ["--host", host, "--port", str(port), "--lifespan", "off", "--no-server-header"]
    quiet = ["--no-access-log", "--timeout-graceful-shutdown", str(DRAIN_S)]
    return Program(
        "web",
        [*command, *options, *quiet],
        environ={"APP_ROLE": "web"},
        is_stuck=Answers(port).fail_for_long,
    )


def worker(pulse_folder: Path) -> Program:
    """Return the task worker. Told to end, it drains for some seconds and gives back the rest."""
    return Program(
        "worker",
        [*CELERY, "worker", "--loglevel", "INFO", "--without-mingle", "--without-gossip"],
        environ={
            "APP_ROLE": "worker",
            "REMAP_SIGTERM": "SIGQUIT",
            "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
            pulse.VARIABLE: str(pulse_folder),
        },
        is_stuck=lambda: pulse.is_silent(pulse_folder, time.time()),
        before=lambda: pulse.reset(pulse_folder),
    )


def beat(schedule: Path) -> Program:
    """Return the clock that starts the periodic tasks."""
    return Program(
        "beat",
        [*CELERY, "beat", "--loglevel", "INFO", "--schedule", str(schedule), "--pidfile", ""],
        environ={"APP_ROLE": "beat"},
    )


class Answers:
    """Looks now and then whether the web process still answers anything."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.looked_at = self.answered_at = time.monotonic()

    def fail_for_long(self) -> bool:
        """Tell whether nothing was answered for a minute; True starts a new minute."""
        now = time.monotonic()
        if now - self.looked_at < LOOK_EVERY_S:
            return False
        self.looked_at = now
        if get(self.port, "/healthz") == http.client.OK:
            self.answered_at = now
        if now - self.answered_at < UNANSWERED_MAX_S:
            return False
        self.answered_at = now
        return True


def get(port: int, address: str) -> int | None:
    """Return the status that the web process answers on this machine, None if it does not."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        line.request("GET", address)
        return line.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        line.close()
