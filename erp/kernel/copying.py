"""Rows in and out of the database by COPY: the quickest way for tens of thousands."""

from collections.abc import Iterable, Sequence
from io import BytesIO, StringIO
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection

ROWS_AT_ONCE = 20_000
HEADER = 19  # bytes before the first row of a binary copy
TRAILER = 2


def escaped(text: str) -> str:
    """Return `text` as COPY reads it."""
    if "\\" in text or "\t" in text or "\n" in text or "\r" in text:
        for found, written in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
            text = text.replace(found, written)
    return text


def decimal(steps: int) -> str:
    """Return whole thousandths as a decimal; not for negative ones."""
    return f"{steps // 1000}.{steps % 1000:03d}"


def array(values: Iterable[int]) -> str:
    """Return whole numbers as the text of an SQL array: one parameter, quick to send."""
    return "{" + ",".join(map(str, values)) + "}"


def copy_in(table: str, columns: Sequence[str], lines: Iterable[str]) -> None:
    """Insert rows given as lines of COPY's text format, each with its line feed."""
    listed = ", ".join(columns)
    rest = iter(lines)
    with connection.cursor() as cursor:
        while chunk := list(islice(rest, ROWS_AT_ONCE)):
            cursor.copy_expert(f"COPY {table} ({listed}) FROM STDIN", StringIO("".join(chunk)))


def copy_out(statement: str, names: Sequence[str]) -> dict[str, npt.NDArray[np.int64]]:
    """Return the columns of a SELECT, all of them `bigint` and never null, by the given names."""
    buffer = BytesIO()
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY ({statement}) TO STDOUT (FORMAT binary)", buffer)
    fields: list[tuple[str, Any]] = [("_fields", ">i2")]
    for name in names:
        fields += [(f"_size_{name}", ">i4"), (name, ">i8")]
    kind = np.dtype(fields)
    body = memoryview(buffer.getbuffer())[HEADER : len(buffer.getbuffer()) - TRAILER]
    found = np.frombuffer(body, kind)
    return {name: found[name].astype(np.int64) for name in names}
