"""A process's claim on an embedded server: while it is held, the server is kept running."""

import fcntl
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from erp.embedded.keeper import Server, keeper_lock, ready_mark, try_lock, users_lock

READY_TIMEOUT_S = 330.0
STOPPED_TIMEOUT_S = 28.0
LOG_TAIL_LINES = 15
PROJECT = Path(__file__).resolve().parents[2]


class ServerUnavailable(Exception):
    """An embedded server cannot be started."""


class Lease:
    """One user's claim on one server. Ends with `release`, or with the process."""

    def __init__(self, server: Server, *, durable: bool) -> None:
        self.server = server
        self.durable = durable
        self.keeper: subprocess.Popen[bytes] | None = None
        self.claim: IO[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.server.folder / f"{self.server.name}.log"

    def hold(self) -> None:
        """Claim the server and have it started if nobody has; `wait` until it answers."""
        if self.claim is None:
            claim = users_lock(self.server).open("ab")
            fcntl.flock(claim, fcntl.LOCK_SH)  # waits while the last keeper shuts down
            self.claim = claim
        self.ensure()

    def wait(self) -> None:
        """Wait until the server answers.

        Raises:
            ServerUnavailable: it cannot be started; the end of its log is in the message.
        """
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not self.is_ready():
            self.ensure()
            if time.monotonic() > deadline:
                raise ServerUnavailable(self.complaint("did not get ready in time"))
            time.sleep(0.02)

    def is_ready(self) -> bool:
        return ready_mark(self.server).exists() and self.server.answers()

    def ensure(self) -> None:
        """Start a keeper if there is none: the first time, and when one was killed.

        Raises:
            ServerUnavailable: the keeper gave up.
        """
        if self.keeper is not None:
            code = self.keeper.poll()
            if code is None:
                return
            self.keeper = None
            if code > 0:
                raise ServerUnavailable(self.complaint("cannot be started"))
        if self.is_kept():
            return
        ready_mark(self.server).unlink(missing_ok=True)
        command = [sys.executable, "-m", "erp.embedded", self.server.name, str(self.server.folder)]
        if not self.durable:
            command.append("--forgetful")
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C is for the user, the server leaves after it.
            self.keeper = subprocess.Popen(
                command,
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def is_kept(self) -> bool:
        with keeper_lock(self.server).open("ab") as lock:
            return not try_lock(lock, fcntl.LOCK_SH)

    def release(self) -> None:
        """Let go of the server, which stops if that was the last claim; `wait_stopped` for it."""
        if self.claim is not None:
            self.claim.close()
            self.claim = None

    def wait_stopped(self) -> None:
        """Wait until the server is stopped, or is seen to be somebody else's too."""
        deadline = time.monotonic() + STOPPED_TIMEOUT_S
        while self.is_kept() and not self.is_used_by_others() and time.monotonic() < deadline:
            time.sleep(0.02)
        if self.keeper is not None and self.is_kept():
            self.keeper.returncode = 0  # it works for others now: its end is not ours to await
        elif self.keeper is not None:
            self.keeper.wait()
        self.keeper = None

    def is_used_by_others(self) -> bool:
        # The keeper takes the lock alone to end, so a claim that can be shared is somebody else's
        # only if it is not ours to take alone.
        with users_lock(self.server).open("ab") as lock:
            if try_lock(lock, fcntl.LOCK_EX):
                return False
            return try_lock(lock, fcntl.LOCK_SH)

    def complaint(self, what: str) -> str:
        tail = self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return "\n".join([f"The embedded {self.server.name} {what}. {self.log}:", *tail])
