"""Statements that the server plans once for a connection instead of every time.

Planning is most of what a short statement costs. A plan that fits any parameters is as good as one
made for few; for a large batch the planner is asked anew, so that it can choose for its size.
"""

import re
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import connection

FEW = 200  # elements of arrays; more than that is a batch
PARAMETER = re.compile(r"%\((\w+)\)s(::\w+(?:\[\])?)?|%%")


class Prepared(str):
    """A statement with named parameters that `rows`, `records` and `run` prepare.

    A parameter whose type the place does not say is written with a cast: `%(now)s::timestamptz`.
    """

    __slots__ = ()


_known: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()  # by server connection


def prepared(statement: str, params: Any) -> str:
    """Return what to run instead of `statement`: its EXECUTE where that is worth it.

    PREPARE outlives a transaction that is rolled back, so a statement is prepared once.
    """
    is_worth_it = isinstance(statement, Prepared) and isinstance(params, Mapping)
    if not is_worth_it or not settings.DATABASE_PREPARES or not _is_few(params):
        return statement
    connection.ensure_connection()
    known = _known.setdefault(connection.connection, {})
    call = known.get(statement)
    if call is None:
        name = f"p{len(known) + 1}"
        body, call = _rewritten(statement, name)
        with connection.connection.cursor() as cursor:
            cursor.execute(f"PREPARE {name} AS {body}")
        known[str(statement)] = call
    return call


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
