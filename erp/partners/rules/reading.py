"""Reads a CSV or XLSX file into rows of text. Bounded; nothing is guessed twice."""

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from python_calamine import CalamineError, load_workbook

FILE_MAX_BYTES = 64 * 1024 * 1024
UNPACKED_MAX_BYTES = 512 * 1024 * 1024
ROWS_MAX = 500_000
COLUMNS_MAX = 200
CELL_MAX = 32_000
XLSX_MAGIC = b"PK\x03\x04"


class UnreadableFile(ValueError):
    """The file is not a table that can be read; the message says why, fit to show."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file by column name. `number` is its line in the file, the header being 1."""

    number: int
    cells: dict[str, str]


def read_rows(content: bytes, *, name: str) -> Iterator[Row]:
    """Yield the rows below the header line, every cell as stripped text.

    Blank lines are passed over. CSV may be UTF-8 (with or without BOM) or Windows-1252, separated
    by comma, semicolon or tab; of an XLSX the first sheet is read.

    Raises:
        UnreadableFile: it is too large, no table, or has no header.
    """
    if len(content) > FILE_MAX_BYTES:
        raise UnreadableFile(f"{name} is larger than {FILE_MAX_BYTES // 2**20} MB.")
    lines = _sheet(content, name) if content.startswith(XLSX_MAGIC) else _csv(content, name)
    header = next(lines, None)
    if header is None or not any(header):
        raise UnreadableFile(f"{name} is empty: the first line must name the columns.")
    if len(header) > COLUMNS_MAX:
        raise UnreadableFile(f"{name} has more than {COLUMNS_MAX} columns.")
    doubles = {column for column in header if column and header.count(column) > 1}
    if doubles:
        raise UnreadableFile(f"{name} names a column twice: {', '.join(sorted(doubles))}.")
    for number, line in enumerate(lines, start=2):
        if number - 1 > ROWS_MAX:
            raise UnreadableFile(f"{name} has more than {ROWS_MAX:,} rows.")
        if any(line):
            yield Row(number, dict(zip(header, line, strict=False)))


def _csv(content: bytes, name: str) -> Iterator[list[str]]:
    if b"\x00" in content:
        raise UnreadableFile(f"{name} is neither CSV nor XLSX: it contains zero bytes.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    csv.field_size_limit(1_000_000)
    try:
        for line in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            yield [cell.strip()[:CELL_MAX] for cell in line]
    except csv.Error as error:
        raise UnreadableFile(f"{name} is no valid CSV: {error}.") from error


def _sheet(content: bytes, name: str) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist()) > UNPACKED_MAX_BYTES:
                raise UnreadableFile(f"{name} unpacks to more than we read.")
        sheet = load_workbook(io.BytesIO(content)).get_sheet_by_index(0)
    except (zipfile.BadZipFile, CalamineError, ValueError) as error:
        if isinstance(error, UnreadableFile):
            raise
        raise UnreadableFile(f"{name} is no spreadsheet that can be read.") from error
    for line in sheet.iter_rows():
        yield [_text(cell)[:CELL_MAX] for cell in line]


def _text(cell: object) -> str:
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return repr(int(cell)) if cell.is_integer() else repr(cell)
    return str(cell).strip()
