"""Denied-party lists as they come in files."""

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

COLUMNS = ("reference", "name", "aliases", "address", "city", "country", "programme")
SIZES = {
    "reference": 60, "name": 300, "address": 300, "city": 100, "country": 60, "programme": 100,
}  # fmt: skip
ALIASES_MAX = 200


class BadList(ValueError):
    """A list that cannot be read; the sentence says where."""


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One entry as its publisher writes it, known by `reference`."""

    reference: str
    name: str
    aliases: tuple[str, ...] = ()
    address: str = ""
    city: str = ""
    country: str = ""
    programme: str = ""


def read_csv(text: str) -> list[ListEntry]:
    """Read a list with a row of headings; aliases are separated by semicolons.

    Raises:
        BadList: a heading is missing, or a row cannot be kept.
    """
    rows = csv.DictReader(StringIO(text.lstrip("\ufeff")))
    named = {(name or "").strip().lower() for name in rows.fieldnames or ()}
    for needed in ("reference", "name"):
        if needed not in named:
            raise BadList(f"There is no column “{needed}”.")
    return read_entries(
        {(key or "").strip().lower(): value for key, value in row.items() if isinstance(value, str)}
        for row in rows
    )


def read_json(text: str) -> list[ListEntry]:
    """Read an array of objects; aliases are an array of texts.

    Raises:
        BadList: it is no such array, or an object cannot be kept.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadList("This is not JSON.") from error
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise BadList("Write a JSON array of objects.")
    return read_entries(found)


def read_entries(rows: Iterable[Mapping[str, Any]]) -> list[ListEntry]:
    """Read entries; what is unknown in them is left aside, a reference occurs once.

    Raises:
        BadList: an entry cannot be kept.
    """
    entries: dict[str, ListEntry] = {}
    for number, row in enumerate(rows, start=1):
        entry = _entry(number, row)
        if entry.reference in entries:
            raise BadList(f"Entry {number}: {entry.reference} occurs twice.")
        entries[entry.reference] = entry
    return list(entries.values())


def _entry(number: int, row: Mapping[str, Any]) -> ListEntry:
    values = {name: str(row.get(name) or "").strip() for name in SIZES}
    for name, size in SIZES.items():
        if len(values[name]) > size:
            raise BadList(f"Entry {number}: {name} has more than {size} characters.")
        if "\0" in values[name]:
            raise BadList(f"Entry {number}: {name} holds a character that cannot be stored.")
    for name in ("reference", "name"):
        if not values[name]:
            raise BadList(f"Entry {number}: {name} is empty.")
    said = row.get("aliases") or ()
    listed = said.split(";") if isinstance(said, str) else said
    aliases = tuple(str(each).strip() for each in listed if str(each).strip())
    if len(aliases) > ALIASES_MAX or any(len(a) > SIZES["name"] or "\0" in a for a in aliases):
        raise BadList(f"Entry {number}: its aliases cannot be kept.")
    return ListEntry(aliases=aliases, **values)
