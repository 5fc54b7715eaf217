"""Set-based statements: the few lines that every hot path shares.

A statement that runs for one order at a time is written as `Prepared` (erp/kernel/prepared.py).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from erp.kernel.prepared import prepared

Params = Sequence[Any] | Mapping[str, Any]


def rows(statement: str, params: Params = ()) -> list[tuple[Any, ...]]:
    """Run one statement and return all its rows. Lists in `params` arrive as SQL arrays."""
    with connection.cursor() as cursor:
        cursor.execute(prepared(statement, params), params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def records(statement: str, params: Params = ()) -> list[dict[str, Any]]:
    """Run one statement and return its rows as dictionaries by column name."""
    with connection.cursor() as cursor:
        cursor.execute(prepared(statement, params), params)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def run(statement: str, params: Params = ()) -> int:
    """Run one statement and return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(prepared(statement, params), params)
        return int(cursor.rowcount)
