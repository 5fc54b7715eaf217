"""The test database: a copy of one that was migrated once for this state of the schema.

Migrating takes as long as a hundred tests; a copy takes a third of a second. A changed migration,
model or permission makes a new original. Every run and every xdist worker has a copy of its own.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.backends.utils import CursorWrapper
from pytest_django.plugin import DjangoDbBlocker

ORIGINAL = "erp_original_"
COPY = "erp_test_"
LOCK = 7_041_811
SHAPES = (
    "migrations/*.py", "models.py", "models/*.py", "permissions.py", "apps.py", "grants.py",
    "policies/*.toml",
)  # fmt: skip


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Replace pytest-django's: copy the original, and drop the copy in the end."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw")
    copy = f"{COPY}{os.getpid()}_{worker}"
    home = settings.DATABASES["default"]["NAME"]
    with django_db_blocker.unblock():
        with alone() as cursor:
            original = ORIGINAL + fingerprint()
            drop_remains(cursor, original)
            if original not in databases(cursor):
                make(original, home)
            cursor.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{original}"')
        use(copy)
    yield
    with django_db_blocker.unblock():
        use(home)
        with alone() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')


@contextmanager
def alone() -> Iterator[CursorWrapper]:
    """Give a cursor on the database that stands in the settings, to one run at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 0")  # another run may be migrating
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            yield cursor
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    connection.close()


def fingerprint() -> str:
    """Return a digest of all that shapes a migrated database, rows of its own included."""
    digest = hashlib.sha256(django.__version__.encode())
    root = Path(settings.BASE_DIR)
    packages = [root / name for name in ("orders", "inventory", "procurement", "finance")]
    for package in [root / "exceptions", *packages, *sorted((root / "erp").iterdir())]:
        for file in sorted(file for shape in SHAPES for file in package.glob(shape)):
            digest.update(str(file.relative_to(root)).encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def databases(cursor: CursorWrapper) -> list[str]:
    cursor.execute("SELECT datname FROM pg_database ORDER BY oid")
    return [name for (name,) in cursor.fetchall()]


def drop_remains(cursor: CursorWrapper, original: str) -> None:
    """Drop copies of runs that were killed, and originals of other states of the schema."""
    for name in databases(cursor):
        dead = name.startswith(COPY) and not Path("/proc", name.split("_")[2]).exists()
        if dead or (name.startswith(ORIGINAL) and name != original):
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def make(original: str, home: str) -> None:
    """Migrate a new database and give it its name when it is whole."""
    draft = f"{COPY}{os.getpid()}_draft"
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{draft}"')
    other.close()
    # The lock is held by the open connection, so another one migrates.
    holder = connections["default"]
    del connections["default"]
    try:
        use(draft)
        call_command("migrate", interactive=False, verbosity=0)
        use(home)
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{draft}" RENAME TO "{original}"')
    finally:
        use(home)
        connections["default"] = holder


def use(name: str) -> None:
    """Point this process at the database `name`."""
    connection.close()
    settings.DATABASES["default"]["NAME"] = name
    connection.settings_dict["NAME"] = name
