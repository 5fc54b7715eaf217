"""Statements that the server plans once for a connection instead of every time.

Planning is most of what a short statement costs. A plan that fits any parameters is as good as one
made for few; for a large batch the planner is asked anew, so that it can choose for its size.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import connection

FEW = 200  # elements of arrays; more than that is a batch
KEPT_S = 10.0  # then it is planned again: tables grow
PARAMETER = re.compile(r"%\((\w+)\)s(::\w+(?:\[\])?)?|%%")


class Prepared(str):
    """A statement with named parameters that `rows`, `records` and `run` prepare.

    A parameter whose type the place does not say is written with a cast: `%(now)s::timestamptz`.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class _Call:
    """How a statement is run that was prepared at `since`."""

    name: str
    execute: str
    since: float


_serial = count(1)
_known: WeakKeyDictionary[Any, dict[str, _Call]] = WeakKeyDictionary()  # by server connection


def prepared(statement: str, params: Any) -> str:
    """Return what to run instead of `statement`: its EXECUTE where that is worth it.

    PREPARE outlives a transaction that is rolled back, so a statement is prepared once.
    """
    is_worth_it = isinstance(statement, Prepared) and isinstance(params, Mapping)
    if not is_worth_it or not settings.DATABASE_PREPARES or not _is_few(params):
        return statement
    connection.ensure_connection()
    known = _known.setdefault(connection.connection, {})
    call, now = known.get(statement), time.monotonic()
    if call is None or now - call.since > KEPT_S:
        name = call.name if call else f"p{next(_serial)}"
        body, execute = _rewritten(statement, name)
        with connection.connection.cursor() as cursor:
            if call:
                cursor.execute(f"DEALLOCATE {name}")
                del known[statement]
            cursor.execute(f"PREPARE {name} AS {body}")
        call = known[str(statement)] = _Call(name, execute, now)
    return call.execute


def _is_few(params: Mapping[str, Any]) -> bool:
    return sum(len(value) for value in params.values() if isinstance(value, list | tuple)) <= FEW


def _rewritten(statement: str, name: str) -> tuple[str, str]:
    """Return the statement with $1, $2 … for its parameters, and the EXECUTE that fills them."""
    casts: dict[str, str] = {}

    def numbered(found: re.Match[str]) -> str:
        parameter, cast = found.group(1), found.group(2) or ""
        if parameter is None:
            return "%"
        casts[parameter] = casts.get(parameter) or cast
        return f"${list(casts).index(parameter) + 1}{cast}"

    body = PARAMETER.sub(numbered, statement)
    values = ", ".join(f"%({parameter})s{cast}" for parameter, cast in casts.items())
    return body, f"EXECUTE {name}({values})" if casts else f"EXECUTE {name}"
