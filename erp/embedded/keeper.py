"""Keeps one server running for as long as anybody uses it. Runs as a process of its own."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Protocol

from erp.embedded.processes import die_with_parent

START_TIMEOUT_S = 300.0  # recovery after a crash reads up to max_wal_size
STOP_TIMEOUT_S = 25.0
TICK_S = 0.1
BACK_OFF_MAX_S = 5.0
STEADY_S = 30.0
RIVAL_WAIT_S = 1.0


class Server(Protocol):
    """What the keeper and the users know about a server."""

    name: str
    variable: str
    stop_signal: signal.Signals
    folder: Path

    @property
    def user(self) -> str | None: ...
    @property
    def url(self) -> str: ...
    def prepare(self) -> None: ...
    def command(self) -> list[str]: ...
    def answers(self) -> bool: ...
    def set_up(self) -> None: ...


def users_lock(server: Server) -> Path:
    """Shared by everybody who uses the server; the keeper takes it alone to end."""
    return server.folder / f"{server.name}.users"


def keeper_lock(server: Server) -> Path:
    """Held by the one keeper of the server, and names its process."""
    return server.folder / f"{server.name}.keeper"


def ready_mark(server: Server) -> Path:
    """Exists while the server is set up and answers."""
    return server.folder / f"{server.name}.ready"


def try_lock(file: IO[bytes], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Keeper:
    """Runs a server, restarts it when it dies, and ends with its last user."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.child: subprocess.Popen[bytes] | None = None
        self.asked_to_end = False

    def run(self) -> None:
        """Keep the server until nobody uses it, or a signal says so."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self.end)
        with (
            keeper_lock(self.server).open("ab") as own,
            users_lock(self.server).open("ab") as users,
        ):
            if not self.is_only_one(own):
                return
            own.truncate(0)
            own.write(b"%d" % os.getpid())
            own.flush()
            try:
                self.keep(users)
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                self.say(f"cannot be started: {error}")
                raise SystemExit(1) from error
            finally:
                ready_mark(self.server).unlink(missing_ok=True)
                self.stop()

    def is_only_one(self, own: IO[bytes]) -> bool:
        # Users who look whether there is a keeper touch its lock for a moment, hence the patience.
        deadline = time.monotonic() + RIVAL_WAIT_S
        while not try_lock(own, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def keep(self, users: IO[bytes]) -> None:
        back_off = TICK_S
        while self.is_used(users):
            started = time.monotonic()
            self.start(users)
            while self.child_lives() and self.is_used(users):
                time.sleep(TICK_S)
            ready_mark(self.server).unlink(missing_ok=True)
            if self.child_lives():
                return
            code = None if self.child is None else self.child.returncode
            self.say(f"ended with {code}: starting it again")
            back_off = TICK_S if time.monotonic() - started > STEADY_S else back_off * 2
            time.sleep(min(back_off, BACK_OFF_MAX_S))

    def is_used(self, users: IO[bytes]) -> bool:
        return not self.asked_to_end and not try_lock(users, fcntl.LOCK_EX)

    def child_lives(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def start(self, users: IO[bytes]) -> None:
        """Start the server and wait until it is ready.

        Raises:
            TimeoutError: it did not get ready in time.
        """
        began = time.monotonic()
        self.server.prepare()
        user = self.server.user
        self.child = subprocess.Popen(
            self.server.command(),
            user=user,
            extra_groups=None if user is None else [],
            cwd="/",
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent(self.server.stop_signal),  # noqa: PLW1509 - one thread
        )
        while not self.server.answers():
            if not self.child_lives() or not self.is_used(users):
                return
            if time.monotonic() - began > START_TIMEOUT_S:
                raise TimeoutError(f"{self.server.name} is not ready after {START_TIMEOUT_S:.0f} s")
            time.sleep(0.02)
        self.server.set_up()
        ready_mark(self.server).write_text(str(self.child.pid))
        self.say(f"ready after {time.monotonic() - began:.2f} s, process {self.child.pid}")

    def stop(self) -> None:
        if self.child is None or not self.child_lives():
            return
        self.child.send_signal(self.server.stop_signal)
        try:
            self.child.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.say("does not stop, so it is killed: it recovers at the next start")
            self.child.kill()
            self.child.wait()
        self.say("stopped")

    def end(self, signum: int, frame: object) -> None:
        self.asked_to_end = True

    def say(self, what: str) -> None:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        sys.stderr.write(f"{at} UTC [{os.getpid()}] {self.server.name} {what}\n")
        sys.stderr.flush()
