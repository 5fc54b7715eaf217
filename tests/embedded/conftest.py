"""Servers of a test's own, in a folder that PostgreSQL's user can enter."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from erp.embedded.keeper import Server
from erp.embedded.lease import Lease


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that is gone afterwards."""
    path = Path(tempfile.mkdtemp(prefix="crossdock-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def claim(folder: Path) -> Iterator[Callable[[Server], Lease]]:
    """Claim a server; every claim ends with the test."""
    leases: list[Lease] = []

    def make(server: Server) -> Lease:
        lease = Lease(server, durable=True)
        leases.append(lease)
        lease.hold()
        lease.wait()
        return lease

    yield make
    for lease in leases:
        lease.release()
    for lease in leases:
        lease.wait_stopped()
