"""`manage.py up`: the whole ERP on this machine, under one supervisor."""

import contextlib
import fcntl
import http.client
import os
import signal
import socket
import time
from argparse import ArgumentParser
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command, get_commands
from django.core.management.base import BaseCommand
from django.db import connections

from erp.embedded import Lease, ServerUnavailable, data_folder
from erp.embedded.environment import HELD
from erp.embedded.keeper import try_lock
from erp.embedded.programs import get, programs
from erp.embedded.supervisor import Supervisor

RETRY_S = 5.0


class Command(BaseCommand):
    help = "Migrate, load the demo company into an empty database, and serve until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say where to listen."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
        parser.add_argument(
            "--no-demo", dest="demo", action="store_false", help="Leave an empty database empty."
        )

    def handle(self, *args: Any, host: str, port: int, demo: bool, **options: Any) -> None:
        """Serve until SIGINT or SIGTERM."""
        began = time.monotonic()
        for signum in (signal.SIGINT, signal.SIGTERM):  # background jobs are born deaf to SIGINT
            signal.signal(signum, signal.default_int_handler)
        refuse_taken_port(host, port)
        folder = data_folder(os.environ)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "up.lock").open("ab") as lock:
            if not try_lock(lock, fcntl.LOCK_EX):
                raise CommandError(f"Crossdock already runs on {folder}.")
            self.serve(host, port, folder, demo=demo, began=began)

    def serve(self, host: str, port: int, folder: Path, *, demo: bool, began: float) -> None:
        """Prepare the database, then keep everything running; `began` is monotonic seconds."""
        call_command("migrate", interactive=False, verbosity=1)
        logins = StringIO()
        if demo:
            self.call_if_there("demo", if_empty=True)
            with contextlib.redirect_stdout(logins):  # shown when the address is
                self.call_if_there("logins")
        connections.close_all()
        caretaker = Caretaker(
            port, lambda: self.welcome(host, port, time.monotonic() - began, logins.getvalue())
        )
        supervisor = Supervisor(programs(host, port, folder), folder, caretaker.tend)
        for lease in HELD:
            supervisor.follow(lease.server.name, lease.log)
        caretaker.say = supervisor.say
        supervisor.run()

    def call_if_there(self, name: str, **options: Any) -> None:
        if name in get_commands():
            call_command(name, **options)

    def welcome(self, host: str, port: int, seconds: float, logins: str) -> None:
        """Print where the ERP is, and who can sign in."""
        shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - only compared
        self.stdout.write(f"\nCrossdock is ready after {seconds:.1f} s: http://{shown}:{port}/\n")
        self.stdout.write(f"{logins}Ctrl-C stops everything.\n")
        self.stdout.flush()


class Caretaker:
    """Looks after the servers, and says once when everything is ready."""

    def __init__(self, port: int, welcome: Any) -> None:
        self.port = port
        self.welcome = welcome
        self.say: Any = print
        self.is_ready = False
        self.retry_at: dict[str, float] = {}

    def tend(self) -> None:
        """Have the keepers of the servers running; greet when the first request is answered."""
        for lease in HELD:
            if time.monotonic() >= self.retry_at.get(lease.server.name, 0.0):
                self.ensure(lease)
        if not self.is_ready and get(self.port, "/readyz") == http.client.OK:
            self.is_ready = True
            self.welcome()

    def ensure(self, lease: Lease) -> None:
        try:
            lease.ensure()
        except ServerUnavailable as refusal:
            self.say(str(refusal))
            self.retry_at[lease.server.name] = time.monotonic() + RETRY_S


def refuse_taken_port(host: str, port: int) -> None:
    """Say at once that the port is somebody else's, rather than after a minute.

    Raises:
        CommandError: another process listens there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise CommandError(f"Cannot listen on {host}:{port}: {error.strerror}.") from error
