"""A version as a YAML document that people can keep, compare and send: out and in again, the same.

Rows stand one a line. Reading takes plain values alone: no tags of Python, no references from one
place of the document to another, no name twice in one mapping.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import yaml

SIZE_MAX = 1_000_000
NAMES = ("policy", "entity", "node", "note", "valid_from", "valid_until", "hit", "rows")


class BadDocument(ValueError):
    """The document cannot be read; the sentence says where."""


class _Flow(dict[str, Any]):
    """A mapping that is written on one line."""


class _Writer(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


class _Reader(yaml.SafeLoader):
    """Reads plain values; texts that look like numbers or dates stay what they are written as."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise BadDocument("A document does not refer to itself (*).")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        for name in names:
            if not isinstance(name, str) or names.count(name) > 1:
                line = node.start_mark.line + 1
                raise BadDocument(f"Line {line}: {name!r} is no name, or stands there twice.")
        return super().construct_mapping(node, deep=deep)


def _flow(writer: yaml.SafeDumper, data: _Flow) -> Any:
    return writer.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=True)


_Writer.add_representer(_Flow, _flow)


def as_yaml(values: Mapping[str, Any]) -> str:
    """Write a version: `policy`, `entity`, `node`, `note`, its dates, `hit` and `rows`.

    What is empty is left out; moments are written in UTC.
    """
    said: dict[str, Any] = {
        name: _plain(values[name])
        for name in NAMES
        if name not in {"hit", "rows"} and values.get(name) not in (None, "")
    }
    said["hit"] = values["hit"]
    said["rows"] = [_Flow(when=row["when"], then=dict(row["then"])) for row in values["rows"]]
    return str(yaml.dump(said, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=2_000))


def from_yaml(text: str) -> dict[str, Any]:
    """Read what `as_yaml` wrote, or somebody by hand: the same names, moments with their zone.

    Raises:
        BadDocument: it is no such document; the sentence says where.
    """
    if len(text) > SIZE_MAX:
        raise BadDocument(f"A document has at most {SIZE_MAX} characters.")
    try:
        read = yaml.load(text, Loader=_Reader)  # noqa: S506  a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"Line {mark.line + 1}: " if mark is not None else ""
        raise BadDocument(f"{where}{getattr(error, 'problem', None) or 'no YAML'}.") from None
    except (ValueError, RecursionError) as error:
        said = str(error) if isinstance(error, BadDocument) else "It holds an impossible value."
        raise BadDocument(said) from None
    if not isinstance(read, dict) or "rows" not in read:
        raise BadDocument("A document names its policy, and has rows.")
    if unknown := sorted(set(read) - set(NAMES)):
        raise BadDocument(f"A document has no {unknown[0]}.")
    for name in ("policy", "entity", "node", "note"):
        if not isinstance(read.get(name, ""), str) or "\0" in read.get(name, ""):
            raise BadDocument(f"{name} is a text.")
    dates = {name: _moment(name, read.get(name)) for name in ("valid_from", "valid_until")}
    table = {"hit": read.get("hit", "first"), "rows": _exact(read["rows"])}
    kept = {name: read.get(name, "") for name in ("policy", "entity", "node", "note")}
    return {**kept, **dates, "table": table}


def _moment(name: str, value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if type(found) is date:
        return datetime(found.year, found.month, found.day, tzinfo=UTC)
    if not isinstance(found, datetime):
        raise BadDocument(f"{name} is a moment such as 2026-12-01T00:00:00Z.")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _exact(value: Any) -> Any:
    """Return plain JSON values; a fraction becomes the text it was written as."""
    if isinstance(value, dict):
        return {name: _exact(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_exact(each) for each in value]
    if isinstance(value, float):
        return str(value)
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
