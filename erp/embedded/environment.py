"""Fills in what the settings read from the environment, out of the embedded servers."""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable, MutableMapping
from pathlib import Path

from erp.embedded.keeper import Server
from erp.embedded.lease import PROJECT, Lease
from erp.embedded.postgres import Postgres
from erp.embedded.valkey import Valkey

HELD: list[Lease] = []  # by this process
SERVERS: dict[str, Callable[..., Server]] = {Postgres.name: Postgres, Valkey.name: Valkey}


def data_folder(environ: MutableMapping[str, str]) -> Path:
    """Return the folder of the servers' data: `ERP_DATA`, or `.data` of the project."""
    return Path(environ.get("ERP_DATA") or PROJECT / ".data").absolute()


def provide(environ: MutableMapping[str, str], folder: Path, *, durable: bool = True) -> None:
    """Start or join the servers whose address `environ` lacks, and write down their addresses.

    Writes `DATABASE_URL`, `REDIS_URL` and `SECRET_KEY`, each only where it is missing. The servers
    run until `withdraw`, or until the process ends. `durable=False` is for tests: what a
    crash of the machine would lose is then never written out.

    Raises:
        ServerUnavailable: one of them cannot be started.
    """
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    missing = [
        server
        for server in (make(folder, durable=durable) for make in SERVERS.values())
        if not environ.get(server.variable)
    ]
    leases = [Lease(server, durable=durable) for server in missing]
    HELD.extend(leases)
    for lease in leases:
        lease.hold()
    for lease in leases:
        lease.wait()
        environ[lease.server.variable] = lease.server.url
    if not environ.get("SECRET_KEY"):
        environ["SECRET_KEY"] = secret_key(folder)


def withdraw() -> None:
    """Let go of what `provide` holds, and wait for the servers to stop that nobody else uses."""
    for lease in HELD:
        lease.release()
    while HELD:
        HELD.pop().wait_stopped()


def secret_key(folder: Path) -> str:
    """Return the installation's own secret, made on first use and readable by its owner alone."""
    file = folder / "secret-key"
    if not file.exists():
        handle, draft = tempfile.mkstemp(dir=folder)  # readable by its owner alone
        with os.fdopen(handle, "w") as writable:
            writable.write(secrets.token_urlsafe(64))
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)  # the first one wins, whole
        Path(draft).unlink()
    return file.read_text().strip()
